#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace imagesweep::kube {

using Json = nlohmann::json;

// Parses JSON that has only one reading: valid UTF-8, no duplicate key in an object, at most 100
// levels. Anything else is kIncomplete, because a part that cannot be understood must not be
// skipped.
Result<Json> ParseStrict(std::string_view text);

// The string at `key`, empty if absent. kIncomplete if it is not a string.
Result<std::string> TextAt(const Json& object, const char* key);
// The object or array at `key`, or null if it is absent or JSON null. kIncomplete if it has another
// type.
Result<const Json*> ObjectAt(const Json& object, const char* key);
Result<const Json*> ArrayAt(const Json& object, const char* key);

}  // namespace imagesweep::kube
