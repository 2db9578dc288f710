#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace imagesweep {

// Makes repetitive text (JSON) a few times smaller, by zlib.  Pure; no errors.  At most 2^31 bytes.
std::string Pack(std::string_view text);

// The text again.  Nothing when `packed` is not what Pack made, to the last byte, or when the text
// would be longer than `max_size`; whatever the bytes are, nothing outside them is read.
std::optional<std::string> Unpack(std::string_view packed, std::size_t max_size);

}  // namespace imagesweep
