#include "agent/policy/validation_errors.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "agent/base/unicode.h"

namespace imagesweep {
namespace {

constexpr std::size_t kShownBytes = 80;
constexpr std::size_t kMaxErrors = 50;

std::string OnLine(int line) {
  return " (line " + std::to_string(line) + ")";
}

std::string Marked(unsigned code) {
  return "<" + CodePoint(code) + ">";
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
      tame += IsInvisible(character.code) ? Marked(character.code) : std::string(bytes);
    else if (c == '\n')
      tame += "\\n";
    else if (c == '"' || c == '\\')
      tame += std::string("\\") + c;
    else if (static_cast<unsigned char>(c) < ' ' || c == 0x7F)
      tame += Marked(character.code);
    else
      tame += c;
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

std::string Quote(const TextNode& node) {
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
  return node.quoted || !IsNonStringScalar(node.text) ? Quoted(node.text) : Tame(node.text);
}

std::string Below(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : std::string(path) + "." + std::string(name);
}

void ValidationErrors::Invalid(std::string_view path, std::string_view value, std::string_view why,
                               int line) {
  Add(line, (path.empty() ? "policy" : std::string(path)) +
                ": Invalid value: " + std::string(value) + ": " + std::string(why) + OnLine(line));
}

void ValidationErrors::Unsupported(std::string_view path, std::string_view value,
                                   const std::vector<std::string>& supported, int line) {
  std::string list;
  for (const auto& one : supported) list += (list.empty() ? "" : ", ") + Quoted(one);
  Add(line, std::string(path) + ": Unsupported value: " + std::string(value) +
                ": supported values: " + list + OnLine(line));
}

void ValidationErrors::Required(std::string_view path, std::string_view why, int line) {
  const bool nested = path.find('.') != std::string_view::npos;
  Add(nested ? line : 0,
      std::string(path) + ": Required value: " + std::string(why) + (nested ? OnLine(line) : ""));
}

void ValidationErrors::Unknown(std::string_view path, std::string_view name,
                               const std::vector<std::string>& siblings, int line) {
  std::string text =
      "strict decoding error: unknown field " + Quoted(Below(path, name)) + OnLine(line);
  if (const auto nearest = Nearest(WithoutInvisible(name), siblings); !nearest.empty())
    text += "; did you mean " + Quoted(nearest) + "?";
  Add(line, std::move(text));
}

void ValidationErrors::Duplicate(std::string_view path, int first_line, int line) {
  Add(line, "strict decoding error: duplicate field " + Quoted(path) + OnLine(line) +
                "; already set on line " + std::to_string(first_line));
}

void ValidationErrors::AddNew(const ValidationErrors& other, const std::string& prefix) {
  const auto known = all_;
  for (const ValidationError& one : other.all_)
    if (std::ranges::find(known, one) == known.end()) Add(one.line, prefix + one.text);
}

Error ValidationErrors::ToError() const {
  auto sorted = all_;
  std::ranges::stable_sort(sorted, {}, &ValidationError::line);
  std::string text;
  for (std::size_t i = 0; i < sorted.size() && i < kMaxErrors; ++i)
    text += (text.empty() ? "" : "\n") + sorted[i].text;
  if (sorted.size() > kMaxErrors)
    text += "\n… and " + std::to_string(sorted.size() - kMaxErrors) + " more";
  return {ErrorKind::kInvalid, std::move(text)};
}

}  // namespace imagesweep
