#include "agent/base/quote_external.h"

#include <algorithm>

namespace imagesweep::kube {

std::string Printable(std::string_view text) {
  constexpr std::size_t kMost = 200;
  std::string line(text.substr(0, kMost));
  std::ranges::replace_if(
      line, [](char c) { return c < ' ' || c > '~'; }, '?');
  if (text.size() > kMost) line += "...";
  return line;
}

}  // namespace imagesweep::kube
