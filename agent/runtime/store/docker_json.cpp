#include "agent/runtime/store/docker_json.h"

#include <nlohmann/json.hpp>

namespace imagesweep::store {

using nlohmann::json;

Result<std::unordered_set<std::string>> NamedImages(std::string_view text) {
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto repositories = root.is_object() ? root.find("Repositories") : root.end();
  if (repositories == root.end() || !repositories->is_object())
    return Error{ErrorKind::kIncomplete, "no object with \"Repositories\""};
  std::unordered_set<std::string> ids;
  for (const json& references : *repositories) {
    if (!references.is_object()) return Error{ErrorKind::kIncomplete, "a repository is no object"};
    for (const json& id : references)
      if (id.is_string()) ids.insert(id.get<std::string>());
  }
  return ids;
}

std::string ImageOfContainer(std::string_view text) {
  // Only this field is kept: the others have the environment of the container.
  const auto keep = [](int depth, json::parse_event_t event, const json& value) {
    return event != json::parse_event_t::key || depth != 1 || value == "Image";
  };
  const json root = json::parse(text, keep, /*allow_exceptions=*/false);
  const auto image = root.is_object() ? root.find("Image") : root.end();
  return image == root.end() || !image->is_string() ? std::string() : image->get<std::string>();
}

}  // namespace imagesweep::store
