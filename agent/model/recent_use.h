#pragma once

#include <string_view>

namespace imagesweep {

// Prefix of a recent reference that is not a use: the image was pulled, imported or named again, so
// its idle time starts again.
inline constexpr std::string_view kCameAgain = "came-again ";

}  // namespace imagesweep
