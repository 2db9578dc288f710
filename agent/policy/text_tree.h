#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep {

struct TextEntry;

// One node of a YAML document as it was written: scalars keep their text, fields their order and
// repeats.  What the text means is decided by whoever knows which type is wanted.
struct TextNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  int line = 0;         // where it starts, from 1
  int column = 0;       // and in that line, in bytes from 0
  std::string text;     // of a scalar
  bool quoted = false;  // a scalar in quotes or in a block: text, whatever it looks like
  std::vector<TextNode> items;
  std::vector<TextEntry> entries;
};

struct TextEntry {
  std::string name;
  int line = 0;
  TextNode value;
};

// One document, or why it is none: kInvalid, "yaml: line 7: …".  Refuses more than 256 KiB, other
// encodings than UTF-8, control characters and tabs, nesting deeper than 16, a second document, and
// anchors, aliases and tags (nothing of a policy needs them, and a small text with aliases can
// stand for a huge one).  `lines_before`: lines of a file before the text, which count in all
// lines.
Result<TextNode> ReadTextTree(std::string_view yaml, int lines_before = 0);

// The text of a plain scalar that YAML, or an old version of it, reads as something other than
// text: null, a boolean (also yes, no, on, off) or a number.
bool PlainTextIsNotText(std::string_view text);

}  // namespace imagesweep
