#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace imagesweep::kube {

// RFC 4648, with padding, without line breaks.
std::string ToBase64(std::string_view bytes);
// kIncomplete for any text that ToBase64 does not write.
Result<std::string> FromBase64(std::string_view text);

}  // namespace imagesweep::kube
