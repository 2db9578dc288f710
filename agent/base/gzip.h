#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace imagesweep {

// RFC 1952, without a name and a time, so that the output is reproducible.
Result<std::string> Gzip(std::string_view bytes);

// The reverse of Gzip.  kIncomplete if `packed` is not exactly one complete gzip stream, or if the
// result is longer than `most`.  Never holds more than `most` bytes.
Result<std::string> Gunzip(std::string_view packed, std::size_t most);

}  // namespace imagesweep
