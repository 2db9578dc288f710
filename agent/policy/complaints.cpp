#include "agent/policy/complaints.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace imagesweep {
namespace {

constexpr std::size_t kShownBytes = 80;
constexpr std::size_t kMaxComplaints = 50;

std::string OnLine(int line) {
  return " (line " + std::to_string(line) + ")";
}

// The code point of the UTF-8 character at the front, and its bytes.
struct Character {
  unsigned code = 0;
  std::size_t bytes = 1;
};

Character FirstCharacter(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t bytes = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  Character character{bytes == 1 ? first : first & (0xFFU >> (bytes + 1)), bytes};
  if (bytes > text.size()) return {first, 1};
  for (std::size_t at = 1; at < bytes; ++at)
    character.code = character.code << 6 | (static_cast<unsigned char>(text[at]) & 0x3FU);
  return character;
}

// White space other than the blank, and characters without a width, which editors do not show.
// Source: Unicode 15, categories Zs, Zl, Zp, Cc and Cf.
bool IsInvisible(unsigned code) {
  return (code >= 0x80 && code <= 0xA0) || code == 0xAD || code == 0x34F || code == 0x61C ||
         code == 0x115F || code == 0x1160 || code == 0x1680 || code == 0x180E ||
         (code >= 0x2000 && code <= 0x200F) || (code >= 0x2028 && code <= 0x202F) ||
         (code >= 0x205F && code <= 0x206F) || code == 0x3000 || code == 0x3164 ||
         (code >= 0xFE00 && code <= 0xFE0F) || code == 0xFEFF ||
         (code >= 0xFFF9 && code <= 0xFFFB) || (code >= 0xE0000 && code <= 0xE0FFF);
}

// "U+00A0" in angle brackets.
std::string CodePoint(unsigned code) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string digits;
  for (; code > 0 || digits.size() < 4; code >>= 4)
    digits.insert(digits.begin(), kDigits[code & 0xF]);
  return "<U+" + digits + ">";
}

// Safe to print on one line, and short.
std::string Tame(std::string_view text) {
  std::string tame;
  bool cut = false;
  if (text.size() > kShownBytes) {
    std::size_t end = kShownBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end);
    cut = true;
  }
  while (!text.empty()) {
    const char c = text.front();
    const Character character = FirstCharacter(text);
    const auto bytes = text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
    if (character.bytes > 1)
      tame += IsInvisible(character.code) ? CodePoint(character.code) : std::string(bytes);
    else if (c == '\n')
      tame += "\\n";
    else if (c == '"' || c == '\\')
      tame += std::string("\\") + c;
    else
      tame += static_cast<unsigned char>(c) < ' ' || c == 0x7F ? '?' : c;
  }
  return cut ? tame + "…" : tame;
}

// Counts insertions, deletions, replacements and swaps of neighbours.  Ignores case.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  };
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const bool equal = same(a[i - 1], b[j - 1]);
      cost[i][j] = std::min(
          {cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (equal ? 0U : 1U)});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string Nearest(std::string_view name, const std::vector<std::string>& siblings) {
  if (name.size() > kShownBytes) return {};
  std::string nearest;
  std::size_t best = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const auto& sibling : siblings) {
    const auto distance = EditDistance(name, sibling);
    if (distance >= best || distance >= sibling.size()) continue;
    best = distance;
    nearest = sibling;
  }
  return nearest;
}

std::string Quoted(std::string_view text) {
  return "\"" + Tame(text) + "\"";
}

std::string Shown(const TextNode& node) {
  switch (node.kind) {
    case TextNode::Kind::kNull:
      return "null";
    case TextNode::Kind::kList:
      return "[…]";
    case TextNode::Kind::kMap:
      return "{…}";
    case TextNode::Kind::kScalar:
      break;
  }
  return node.quoted || !PlainTextIsNotText(node.text) ? Quoted(node.text) : Tame(node.text);
}

std::string Below(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : std::string(path) + "." + std::string(name);
}

void Complaints::Invalid(std::string_view path, std::string_view value, std::string_view why,
                         int line) {
  Add(line, (path.empty() ? "policy" : std::string(path)) +
                ": Invalid value: " + std::string(value) + ": " + std::string(why) + OnLine(line));
}

void Complaints::Unsupported(std::string_view path, std::string_view value,
                             const std::vector<std::string>& supported, int line) {
  std::string list;
  for (const auto& one : supported) list += (list.empty() ? "" : ", ") + Quoted(one);
  Add(line, std::string(path) + ": Unsupported value: " + std::string(value) +
                ": supported values: " + list + OnLine(line));
}

void Complaints::Required(std::string_view path, std::string_view why, int line) {
  const bool nested = path.find('.') != std::string_view::npos;
  Add(nested ? line : 0,
      std::string(path) + ": Required value: " + std::string(why) + (nested ? OnLine(line) : ""));
}

void Complaints::Unknown(std::string_view path, std::string_view name,
                         const std::vector<std::string>& siblings, int line) {
  std::string text =
      "strict decoding error: unknown field " + Quoted(Below(path, name)) + OnLine(line);
  if (const auto nearest = Nearest(name, siblings); !nearest.empty())
    text += "; did you mean " + Quoted(nearest) + "?";
  Add(line, std::move(text));
}

void Complaints::Duplicate(std::string_view path, int first_line, int line) {
  Add(line, "strict decoding error: duplicate field " + Quoted(path) + OnLine(line) +
                "; already set on line " + std::to_string(first_line));
}

void Complaints::AddNew(const Complaints& other, const std::string& prefix) {
  const auto known = all_;
  for (const Complaint& one : other.all_)
    if (std::ranges::find(known, one) == known.end()) Add(one.line, prefix + one.text);
}

Error Complaints::ToError() const {
  auto sorted = all_;
  std::ranges::stable_sort(sorted, {}, &Complaint::line);
  std::string text;
  for (std::size_t i = 0; i < sorted.size() && i < kMaxComplaints; ++i)
    text += (text.empty() ? "" : "\n") + sorted[i].text;
  if (sorted.size() > kMaxComplaints)
    text += "\n… and " + std::to_string(sorted.size() - kMaxComplaints) + " more";
  return {ErrorKind::kInvalid, std::move(text)};
}

}  // namespace imagesweep
