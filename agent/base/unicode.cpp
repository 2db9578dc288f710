#include "agent/base/unicode.h"

namespace imagesweep {

Character FirstCharacter(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t bytes = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  Character character{bytes == 1 ? first : first & (0xFFU >> (bytes + 1)), bytes};
  if (bytes > text.size()) return {first, 1};
  for (std::size_t at = 1; at < bytes; ++at)
    character.code = character.code << 6 | (static_cast<unsigned char>(text[at]) & 0x3FU);
  return character;
}

bool IsInvisible(unsigned code) {
  return (code >= 0x80 && code <= 0xA0) || code == 0xAD || code == 0x34F || code == 0x61C ||
         code == 0x115F || code == 0x1160 || code == 0x1680 || code == 0x180E ||
         (code >= 0x2000 && code <= 0x200F) || (code >= 0x2028 && code <= 0x202F) ||
         (code >= 0x205F && code <= 0x206F) || code == 0x3000 || code == 0x3164 ||
         (code >= 0xFE00 && code <= 0xFE0F) || code == 0xFEFF ||
         (code >= 0xFFF9 && code <= 0xFFFB) || (code >= 0xE0000 && code <= 0xE0FFF);
}

std::string CodePoint(unsigned code) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string digits;
  for (; code > 0 || digits.size() < 4; code >>= 4)
    digits.insert(digits.begin(), kDigits[code & 0xF]);
  return "U+" + digits;
}

std::optional<InvisibleCharacter> FindInvisible(std::string_view line) {
  for (int column = 1; !line.empty(); ++column) {
    const Character character = FirstCharacter(line);
    // A byte that begins no character is not U+0080 to U+00A0.
    if (character.bytes > 1 && IsInvisible(character.code))
      return InvisibleCharacter{character.code, column};
    line.remove_prefix(character.bytes);
  }
  return std::nullopt;
}

std::string WithoutInvisible(std::string_view text) {
  std::string visible;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    if (character.bytes == 1 || !IsInvisible(character.code))
      visible += text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
  }
  return visible;
}

}  // namespace imagesweep
