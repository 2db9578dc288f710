#include "agent/policy/text_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <utility>

#include "agent/base/unicode.h"

namespace imagesweep {
namespace {

constexpr std::size_t kMaxBytes = 256UL * 1024;
constexpr std::size_t kMaxDepth = 16;

Error At(int line, std::string_view why) {
  return {ErrorKind::kInvalid, "yaml: line " + std::to_string(line) + ": " + std::string(why)};
}

// Stops the parser from a callback.  Caught in this file.
struct Refused {
  int line;
  const char* why;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(int lines_before) : lines_before_(lines_before) {}

  TextNode Take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Check(mark, "", anchor);
    TextNode node;
    // The parser reports a missing value at the position of the next token.
    node.line = pending_.empty() || !pending_.back() ? Line(mark) : pending_.back()->line;
    Place(std::move(node));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{Line(mark), kNoAnchors};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Check(mark, tag, anchor);
    if (!open_.empty() && open_.back().kind == TextNode::Kind::kMap && !pending_.back()) {
      pending_.back() = TextEntry{value, Line(mark), {}};
      return;
    }
    TextNode node;
    node.kind = TextNode::Kind::kScalar;
    node.line = Line(mark);
    node.column = mark.column;
    node.text = value;
    node.quoted = tag == "!";
    Place(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Begin(mark, tag, anchor, TextNode::Kind::kList);
  }
  void OnSequenceEnd() override { End(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Begin(mark, tag, anchor, TextNode::Kind::kMap);
  }
  void OnMapEnd() override { End(); }

  static constexpr const char* kNoAnchors =
      "anchors and aliases are not allowed; a text that begins with & or * needs quotes";

 private:
  int Line(const YAML::Mark& mark) const { return lines_before_ + mark.line + 1; }

  void Check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) const {
    if (anchor != YAML::NullAnchor) throw Refused{Line(mark), kNoAnchors};
    if (!tag.empty() && tag != "?" && tag != "!")
      throw Refused{Line(mark), "tags are not allowed; a text that begins with ! needs quotes"};
  }
  void Begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             TextNode::Kind kind) {
    Check(mark, tag, anchor);
    if (open_.size() >= kMaxDepth) throw Refused{Line(mark), "nested too deeply"};
    if (WantsName()) throw Refused{Line(mark), kNameIsText};
    TextNode node;
    node.kind = kind;
    node.line = Line(mark);
    open_.push_back(std::move(node));
    pending_.emplace_back();
  }
  void End() {
    TextNode node = std::move(open_.back());
    open_.pop_back();
    pending_.pop_back();
    Place(std::move(node));
  }
  bool WantsName() const {
    return !open_.empty() && open_.back().kind == TextNode::Kind::kMap && !pending_.back();
  }
  void Place(TextNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (open_.back().kind == TextNode::Kind::kList) {
      open_.back().items.push_back(std::move(node));
    } else if (WantsName()) {
      throw Refused{node.line, kNameIsText};
    } else {
      pending_.back()->value = std::move(node);
      open_.back().entries.push_back(*std::move(pending_.back()));
      pending_.back().reset();
    }
  }

  static constexpr const char* kNameIsText = "a field name must be text";
  int lines_before_;
  TextNode root_;
  std::vector<TextNode> open_;
  std::vector<std::optional<TextEntry>> pending_;  // parallel to open_: a name without its value
};

// The length of the first character in bytes.  0: invalid UTF-8, including overlong forms,
// surrogates and values above U+10FFFF.  Source: Unicode 15, table 3-7.
std::size_t CharacterLength(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const auto follows = [&](std::size_t at, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(at) >= low && byte(at) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

std::optional<Error> BadBytes(std::string_view yaml, int lines_before) {
  int line = lines_before + 1, column = 1;
  for (std::size_t at = 0; at < yaml.size(); ++column) {
    const auto c = static_cast<unsigned char>(yaml[at]);
    const auto length = CharacterLength(yaml.substr(at));
    const auto here = [&] { return " (" + CodePoint(c) + ") in column " + std::to_string(column); };
    if (length == 0) return At(line, "invalid UTF-8");
    if (c == '\t') return At(line, "tab character" + here() + "; indent with spaces");
    const bool line_end = c == '\n' || (c == '\r' && at + 1 < yaml.size() && yaml[at + 1] == '\n');
    if ((c < ' ' && !line_end) || c == 0x7F) return At(line, "control character" + here());
    if (c == '\n') {
      ++line;
      column = 0;
    }
    at += length;
  }
  return std::nullopt;
}

std::string_view WithoutComment(std::string_view line) {
  if (line.starts_with('#')) return {};
  return line.substr(0, line.find(" #"));
}

// The last invisible character in the lines up to this one, as an addition to an error: where such
// a character replaces a blank, the error follows and does not show it.
std::string InvisibleUpTo(int last, std::string_view yaml, int lines_before) {
  std::string text;
  for (int line = lines_before + 1; line <= last && !yaml.empty(); ++line) {
    const auto end = std::min(yaml.find('\n'), yaml.size());
    auto content = WithoutComment(yaml.substr(0, end));
    // A file may begin with a byte order mark.
    if (line == lines_before + 1 && content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
    if (const auto found = FindInvisible(content))
      text = "; line " + std::to_string(line) + " has the invisible character " +
             CodePoint(found->code) + " in column " + std::to_string(found->column);
    yaml.remove_prefix(std::min(end + 1, yaml.size()));
  }
  return text;
}

}  // namespace

Result<TextNode> ReadTextTree(std::string_view yaml, int lines_before) {
  if (yaml.size() > kMaxBytes)
    return Error{ErrorKind::kInvalid,
                 "yaml: larger than 256 KiB (" + std::to_string(yaml.size()) + " bytes)"};
  if (auto errors = BadBytes(yaml, lines_before)) return *std::move(errors);
  const auto last_line = lines_before + static_cast<int>(std::ranges::count(yaml, '\n')) + 1;
  try {
    // Append a document end, because yaml-cpp 0.7 accepts a quoted text that the end of the file
    // cuts off (Scanner's ScanScalar), and a truncated file must not be a policy.
    std::istringstream stream{std::string(yaml) + "\n...\n"};
    YAML::Parser parser(stream);
    TreeBuilder builder(lines_before);
    if (!parser.HandleNextDocument(builder)) return TextNode{};
    TextNode root = builder.Take();
    // After a final "---" there is an empty document.
    TreeBuilder second(lines_before), third(lines_before);
    if (parser.HandleNextDocument(second) &&
        (second.Take().kind != TextNode::Kind::kNull || parser.HandleNextDocument(third)))
      return Error{ErrorKind::kInvalid, "yaml: more than one document; use a single document"};
    return root;
  } catch (const Refused& refused) {
    return At(refused.line, refused.why);
  } catch (const YAML::Exception& e) {
    const int line = std::min(lines_before + e.mark.line + 1, last_line);
    if (e.msg.find("anchor") != std::string::npos || e.msg.find("alias") != std::string::npos)
      return At(line, TreeBuilder::kNoAnchors);
    if (e.msg == YAML::ErrorMsg::DOC_IN_SCALAR) return At(line, "missing end of a quoted text");
    return At(line, e.msg + InvisibleUpTo(line, yaml, lines_before));
  }
}

bool IsNonStringScalar(std::string_view text) {
  std::string lower;
  for (const char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::array<std::string_view, 13> kWords{
      "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf"};
  if (std::ranges::find(kWords, lower) != kWords.end()) return true;
  std::string number = lower;
  if (number.front() == '-' || number.front() == '+') number.erase(0, 1);
  if (number == ".inf") return true;
  if (number.empty() || number.find_first_of("0123456789") > 1) return false;
  if (number.front() != '.' && (number.front() < '0' || number.front() > '9')) return false;
  if (number.starts_with("0o")) number.erase(1, 1);
  char* end = nullptr;
  std::strtod(number.c_str(), &end);
  return end == number.c_str() + number.size();
}

}  // namespace imagesweep
