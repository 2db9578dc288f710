#pragma once

#include <string>
#include <string_view>

namespace imagesweep {

// Makes text from the other side fit for one line of an error: at most 200 characters, with '?' for
// everything except printable ASCII.
std::string PrintableAscii(std::string_view text);

}  // namespace imagesweep
