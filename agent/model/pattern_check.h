#pragma once

#include <string>
#include <string_view>

namespace imagesweep {

// A pattern that no image can match protects nothing, while its author thinks that it does.

// Why no image name matches this image pattern, or why it may mean two things, with the pattern
// that was probably meant: "no image name has such a character; …; did you mean "redis:*"?".  Empty
// for a good pattern.
std::string WhyNotImagePattern(std::string_view text);

// The same of a pattern for tags alone.  `images_field` is where patterns for whole names belong.
std::string WhyNotTagPattern(std::string_view text, std::string_view images_field);

}  // namespace imagesweep
