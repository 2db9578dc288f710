#pragma once

#include <algorithm>
#include <string_view>

// The characters of a tag.

namespace imagesweep {

inline bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
inline bool IsSeparator(char c) {
  return c == '-' || c == '_' || c == '+' || c == '.';
}
inline bool IsNumber(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, IsDigit);
}

}  // namespace imagesweep
