#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace imagesweep::kube {

using Json = nlohmann::json;

// JSON that can be read in one way only: valid UTF-8, no key twice in an object, at most 100
// levels. kIncomplete otherwise: what cannot be understood must not be skipped.
Result<Json> ParseStrict(std::string_view text);

// The text at `key`, empty when absent; kIncomplete when it is there and not a string.
Result<std::string> TextAt(const Json& object, const char* key);
// The object or array at `key`, or null when absent or JSON null; kIncomplete when of another type.
Result<const Json*> ObjectAt(const Json& object, const char* key);
Result<const Json*> ArrayAt(const Json& object, const char* key);

}  // namespace imagesweep::kube
