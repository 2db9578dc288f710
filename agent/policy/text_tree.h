#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep {

struct TextEntry;

// One node of a YAML document as written: scalars keep their text, fields keep their order and
// duplicates.  The codec of each field interprets the text.
struct TextNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  int line = 0;         // first line, from 1
  int column = 0;       // of its first byte in that line, from 0
  std::string text;     // of a scalar
  bool quoted = false;  // a scalar in quotes or in a block: always text
  std::vector<TextNode> items;
  std::vector<TextEntry> entries;
};

struct TextEntry {
  std::string name;
  int line = 0;
  TextNode value;
};

// Reads one document.  Errors are kInvalid, "yaml: line 7: …".  Rejects more than 256 KiB,
// encodings other than UTF-8, control characters and tabs, nesting deeper than 16, a second
// document, and anchors, aliases and tags: a policy does not need them, and a small text with
// aliases can expand to a huge document.  `lines_before`: the lines of the file before the text,
// which count in the line numbers.
Result<TextNode> ReadTextTree(std::string_view yaml, int lines_before = 0);

// True if YAML, or an old version of it, does not read this plain scalar as text but as null, a
// boolean (also yes, no, on, off) or a number.
bool IsNonStringScalar(std::string_view text);

}  // namespace imagesweep
