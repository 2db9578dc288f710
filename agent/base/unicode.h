#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imagesweep {

// One character of a text in UTF-8.
struct Character {
  unsigned code = 0;      // its code point
  std::size_t bytes = 1;  // its length in the text
};

// The first character of a text that is not empty. In a text that is not valid UTF-8 the code is a
// guess, but `bytes` stays within the text.
Character FirstCharacter(std::string_view text);

// White space beyond the blank, and characters without a width: editors do not show them.
// Source: Unicode 15, categories Zs, Zl, Zp, Cc from U+0080, and Cf.
bool IsInvisible(unsigned code);

// "U+00A0", as Unicode writes it.
std::string CodePoint(unsigned code);

struct InvisibleCharacter {
  unsigned code = 0;
  int column = 0;  // in characters, from 1
};

// The first invisible character of one line.
std::optional<InvisibleCharacter> FindInvisible(std::string_view line);

// The text without its invisible characters.
std::string WithoutInvisible(std::string_view text);

}  // namespace imagesweep
