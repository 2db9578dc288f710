#include "agent/runtime/store/image_config.h"

#include <nlohmann/json.hpp>

#include "agent/base/codec.h"

namespace imagesweep::store {
namespace {

using nlohmann::json;

constexpr std::string_view kDigest = "sha256:";
// One step may be a whole script.  Steps differ at their beginning.
constexpr std::size_t kMaxStep = 2048;

const json& At(const json& object, const char* key) {
  static const json kNone;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? kNone : *found;
}

std::string Text(const json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

}  // namespace

Result<ImageConfig> ParseImageConfig(std::string_view text) {
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) return Error{ErrorKind::kIncomplete, "not a JSON object"};
  ImageConfig config;
  if (const json& ids = At(At(root, "rootfs"), "diff_ids"); ids.is_array())
    for (const json& id : ids) config.diff_ids.push_back(Text(id));
  if (const json& steps = At(root, "history"); steps.is_array())
    for (const json& step : steps) {
      const json& empty = At(step, "empty_layer");
      config.history.push_back({Text(At(step, "created_by")).substr(0, kMaxStep),
                                empty.is_boolean() && empty.get<bool>()});
    }
  return config;
}

std::string ChainId(const std::vector<std::string>& diff_ids) {
  std::string chain;
  for (const std::string& id : diff_ids) {
    if (!id.starts_with(kDigest) || !IsHexId(std::string_view(id).substr(kDigest.size())))
      return {};
    if (chain.empty())
      chain = id;
    else
      chain = std::string(kDigest).append(Sha256Hex(chain.append(" ").append(id)));
  }
  return chain;
}

}  // namespace imagesweep::store
