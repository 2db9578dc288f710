#pragma once

#include <string>
#include <string_view>

namespace imagesweep {

// What the author of a regular expression would write as a glob, as far as that can be told; `any`
// stands for `.*` and `.+`.  The result may still be no pattern.
std::string FromRegularExpression(std::string_view text, std::string_view any);

// The same of one for whole image names, whose `.*` crosses `/` in the repository and is `*` in the
// tag.
std::string ImagesFromRegularExpression(std::string_view text);

}  // namespace imagesweep
