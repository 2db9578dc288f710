#pragma once

#include <string>
#include <string_view>

namespace imagesweep {

// Text from outside (image names, pod names, error messages) made safe for one line of a terminal
// or a log: control characters and bytes that are not UTF-8 become \xNN, as do line separators and
// bidirectional overrides.  Ordinary text is unchanged.
std::string Printable(std::string_view text);

}  // namespace imagesweep
