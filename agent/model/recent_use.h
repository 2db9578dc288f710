#pragma once

#include <string_view>

namespace imagesweep {

// Stands before the text of a recent reference that is no use: the image came to the node, or was
// named, again.  It has not been idle since it was seen before.
inline constexpr std::string_view kCameAgain = "came-again ";

}  // namespace imagesweep
