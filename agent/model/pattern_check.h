#pragma once

#include <string>
#include <string_view>

namespace imagesweep {

// A pattern that no image can match protects nothing, although its author expects it to.

// Returns why no image name can match this image pattern, or why the pattern is ambiguous, with a
// suggestion: "invalid character; …; did you mean "redis:*"?".  Empty for a valid pattern.
std::string WhyNotImagePattern(std::string_view text);

// The same for a pattern for tags.  `images_field` is the field for patterns for whole names.
std::string WhyNotTagPattern(std::string_view text, std::string_view images_field);

}  // namespace imagesweep
