#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep::docker {

using Json = nlohmann::json;

// Whether to keep the member `key` of an object. `depth` counts the arrays and objects around it:
// 1 in the outermost object.
using KeepMember = std::function<bool(int depth, const std::string& key)>;

// Parses JSON that has only one reading: valid UTF-8, no key twice in an object, at most 32 levels.
// Anything else is kIncomplete. Members that `keep` refuses take no memory. Never throws.
Result<Json> ParseJson(std::string_view text, const KeepMember& keep = {});

// Reads members of one object. The first problem stays and names the member; after it, the values
// mean nothing. An absent member and null are empty.
class Fields {
 public:
  explicit Fields(const Json& object);

  std::string Text(const char* key);
  std::string NeededText(const char* key);  // absent or empty is a problem
  std::vector<std::string> Texts(const char* key);
  std::map<std::string, std::string> TextsByKey(const char* key);
  std::int64_t Number(const char* key, std::int64_t otherwise);
  std::uint64_t NeededSize(const char* key);  // absent or negative is a problem
  const Json& Object(const char* key);        // empty object if absent
  const Json& Array(const char* key);         // empty array if absent

  void Problem(std::string what);
  // Takes over the problem of a part.
  void Check(const Fields& part);
  bool ok() const { return problem_.empty(); }
  Error error() const { return {ErrorKind::kIncomplete, problem_}; }

 private:
  const Json* At(const char* key) const;

  const Json& object_;
  std::string problem_;
};

}  // namespace imagesweep::docker
