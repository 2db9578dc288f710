#include "agent/kube/client/strict_json.h"

#include <set>
#include <vector>

#include "agent/base/printable_ascii.h"

namespace imagesweep::kube {
namespace {

constexpr int kMaxDepth = 100;

Error Bad(const std::string& what) {
  return {ErrorKind::kIncomplete, what};
}

Result<const Json*> At(const Json& object, const char* key, Json::value_t type, const char* name) {
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return static_cast<const Json*>(nullptr);
  if (it->type() != type) return Bad(std::string(key) + " is not " + name);
  return &*it;
}

}  // namespace

Result<Json> ParseStrict(std::string_view text) {
  // The keys of the open objects, by depth.
  std::vector<std::set<std::string>> keys;
  std::string problem;
  // An exception stops the parser at once: deep nesting takes 75 times its size in memory.
  struct Refused {};
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth) {
      problem = "nested too deeply";
      throw Refused();
    }
    if (event == Json::parse_event_t::object_start) {
      keys.resize(static_cast<std::size_t>(depth));
      keys.emplace_back();
    } else if (event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys[static_cast<std::size_t>(depth) - 1].insert(key).second) {
        problem = "key \"" + PrintableAscii(key) + "\" appears twice in one object";
        throw Refused();
      }
    }
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Refused&) {
    return Bad("JSON: " + problem);
  } catch (const Json::exception& error) {
    return Bad("JSON: " + PrintableAscii(error.what()));
  }
}

Result<std::string> TextAt(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return std::string();
  if (!it->is_string()) return Bad(std::string(key) + " is not a string");
  return it->get<std::string>();
}

Result<const Json*> ObjectAt(const Json& object, const char* key) {
  return At(object, key, Json::value_t::object, "an object");
}

Result<const Json*> ArrayAt(const Json& object, const char* key) {
  return At(object, key, Json::value_t::array, "an array");
}

}  // namespace imagesweep::kube
