#include "agent/runtime/cri/info_json.h"

#include <nlohmann/json.hpp>

namespace imagesweep::cri {
namespace {

using nlohmann::json;

// Settings of runtimes are not nested deeper. Hostile text must not exhaust the stack.
constexpr int kMaxDepth = 32;

void CollectTexts(const json& value, std::string_view key, int depth,
                  std::vector<std::string>& found) {
  if (depth == 0 || !value.is_structured()) return;
  if (value.is_object()) {
    const auto it = value.find(key);
    if (it != value.end() && it->is_string() && !it->get_ref<const std::string&>().empty())
      found.push_back(it->get<std::string>());
  }
  for (const auto& member : value) CollectTexts(member, key, depth - 1, found);
}

Result<std::vector<std::string>> Collect(std::string_view text, std::string_view key, int depth) {
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) return Error{ErrorKind::kIncomplete, "is not JSON"};
  std::vector<std::string> found;
  CollectTexts(root, key, depth, found);
  return found;
}

}  // namespace

Result<std::vector<std::string>> SandboxImagesOfConfig(std::string_view json) {
  return Collect(json, "sandboxImage", kMaxDepth);
}

Result<std::vector<std::string>> ImagesOfSandbox(std::string_view json) {
  return Collect(json, "image", 1);
}

Result<std::vector<std::string>> DiffIdsOfImage(std::string_view text) {
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return Error{ErrorKind::kIncomplete, "is not JSON"};
  for (const char* key : {"imageSpec", "rootfs", "diff_ids"}) {
    if (!value.is_object() || !value.contains(key)) return std::vector<std::string>();
    value = json(std::move(value[key]));
  }
  std::vector<std::string> found;
  if (!value.is_array()) return found;
  for (const json& one : value) {
    if (!one.is_string()) return std::vector<std::string>();
    found.push_back(one.get<std::string>());
  }
  return found;
}

Result<BuildFacts> BuildOfImage(std::string_view text) {
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) return Error{ErrorKind::kIncomplete, "is not JSON"};
  const auto at = [](const json& value, const char* key) -> const json& {
    static const json kNothing;
    return value.is_object() && value.contains(key) ? value[key] : kNothing;
  };
  BuildFacts facts;
  const json& spec = at(root, "imageSpec");
  for (const auto& [key, value] : at(at(spec, "config"), "Labels").items())
    if (value.is_string()) facts.labels[key] = value.get<std::string>();
  for (const json& step : at(spec, "history"))
    if (const json& text_of_step = at(step, "created_by"); text_of_step.is_string())
      facts.created_by.push_back(text_of_step.get<std::string>());
  return facts;
}

}  // namespace imagesweep::cri
