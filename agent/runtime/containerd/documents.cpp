#include "agent/runtime/containerd/documents.h"

#include <nlohmann/json.hpp>

namespace imagesweep::containerd {
namespace {

using nlohmann::json;

// One step may be a whole script. Steps differ at their beginning.
constexpr std::size_t kMaxStep = 2048;

const json& At(const json& object, const char* key) {
  static const json kNone;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? kNone : *found;
}

std::string Text(const json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

Result<json> Parse(std::string_view text) {
  json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) return Error{ErrorKind::kIncomplete, "not a JSON object"};
  return root;
}

}  // namespace

Result<ConfigFacts> ParseConfig(std::string_view text) {
  const auto root = Parse(text);
  if (!root) return root.error();
  ConfigFacts facts;
  if (const json& ids = At(At(*root, "rootfs"), "diff_ids"); ids.is_array())
    for (const json& id : ids) facts.diff_ids.push_back(Text(id));
  if (const json& steps = At(*root, "history"); steps.is_array())
    for (const json& step : steps) {
      const json& empty = At(step, "empty_layer");
      facts.history.push_back({Text(At(step, "created_by")).substr(0, kMaxStep),
                               empty.is_boolean() && empty.get<bool>()});
    }
  return facts;
}

Result<std::string> ConfigOfManifest(std::string_view text) {
  const auto root = Parse(text);
  if (!root) return root.error();
  return Text(At(At(*root, "config"), "digest"));
}

}  // namespace imagesweep::containerd
