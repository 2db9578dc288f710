#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace imagesweep {

// Compresses text with zlib.  Pure, without errors.  At most 2^31 bytes.
std::string Pack(std::string_view text);

// The reverse of Pack.  Empty if `packed` is not exactly an output of Pack, or if the text is
// longer than `max_size`.  Safe for any bytes.
std::optional<std::string> Unpack(std::string_view packed, std::size_t max_size);

}  // namespace imagesweep
