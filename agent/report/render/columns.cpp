#include "agent/report/render/columns.h"

#include "agent/base/unicode.h"

namespace imagesweep {
namespace {

// Source: Unicode 15, EastAsianWidth.txt, W and F, rounded up to whole blocks.
bool IsWide(unsigned code) {
  return (code >= 0x1100 && code <= 0x115F) || (code >= 0x231A && code <= 0x2B55) ||
         (code >= 0x2E80 && code <= 0xA4CF) || (code >= 0xA960 && code <= 0xA97F) ||
         (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
         (code >= 0xFE10 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFFE6) ||
         (code >= 0x16FE0 && code <= 0x1B2FF) || (code >= 0x1F000 && code <= 0x1FAFF) ||
         (code >= 0x20000 && code <= 0x3FFFD);
}

std::size_t ColumnsOf(const Character& character) {
  return IsWide(character.code) ? 2 : 1;
}

}  // namespace

std::size_t ColumnsOf(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    columns += ColumnsOf(character);
    text.remove_prefix(character.bytes);
  }
  return columns;
}

std::string FirstColumns(std::string_view text, std::size_t width) {
  std::size_t bytes = 0, columns = 0;
  while (bytes < text.size()) {
    const Character character = FirstCharacter(text.substr(bytes));
    columns += ColumnsOf(character);
    if (columns > width) break;
    bytes += character.bytes;
  }
  return std::string(text.substr(0, bytes));
}

std::string LastColumns(std::string_view text, std::size_t width) {
  for (std::size_t columns = ColumnsOf(text); columns > width;) {
    const Character character = FirstCharacter(text);
    columns -= ColumnsOf(character);
    text.remove_prefix(character.bytes);
  }
  return std::string(text);
}

}  // namespace imagesweep
