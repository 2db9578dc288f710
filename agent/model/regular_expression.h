#pragma once

#include <string>
#include <string_view>

namespace imagesweep {

// Translates a regular expression to a glob as far as possible.  `any` replaces `.*` and `.+`.  The
// result may still be an invalid pattern.
std::string FromRegularExpression(std::string_view text, std::string_view any);

// The same for an expression for whole image names: `.*` crosses `/` in the repository and becomes
// `*` in the tag.
std::string ImagesFromRegularExpression(std::string_view text);

}  // namespace imagesweep
