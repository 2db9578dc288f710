#include "agent/base/printable_ascii.h"

#include <algorithm>

namespace imagesweep {

std::string PrintableAscii(std::string_view text) {
  constexpr std::size_t kMax = 200;
  std::string line(text.substr(0, kMax));
  std::ranges::replace_if(
      line, [](char c) { return c < ' ' || c > '~'; }, '?');
  if (text.size() > kMax) line += "...";
  return line;
}

}  // namespace imagesweep
