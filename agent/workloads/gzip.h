#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace imagesweep {

// RFC 1952, without a name or a time in it, so that equal bytes give equal bytes.
Result<std::string> Gzip(std::string_view bytes);

// The bytes again.  kIncomplete when `packed` is not one whole gzip stream to its last byte, or
// when it would be longer than `most`: no more than that is ever held.
Result<std::string> Gunzip(std::string_view packed, std::size_t most);

}  // namespace imagesweep
