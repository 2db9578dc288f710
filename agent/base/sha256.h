#pragma once

#include <string>
#include <string_view>

namespace imagesweep {

// SHA-256 in lower-case hex, 64 characters.  Pure.
std::string Sha256Hex(std::string_view bytes);

}  // namespace imagesweep
