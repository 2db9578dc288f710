#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

// The characters and numbers of a tag.

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
inline std::optional<std::uint64_t> Number(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace imagesweep
