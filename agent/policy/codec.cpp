#include "agent/policy/codec.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"

namespace imagesweep {
namespace {

constexpr std::size_t kMaxNumberText = 64;

bool IsScalar(const TextNode& node) {
  return node.kind == TextNode::Kind::kScalar;
}

// Messages of the value parsers name the value first; a complaint has done so already.
std::string WithoutValue(std::string what, std::string_view value) {
  const std::string prefix = "\"" + std::string(value) + "\" ";
  if (what.starts_with(prefix)) what.erase(0, prefix.size());
  return what;
}

class BooleanCodec final : public Codec<bool> {
 public:
  bool Read(const TextNode& node, const std::string& path, bool& into,
            Complaints& bad) const override {
    if (IsScalar(node) && !node.quoted && (node.text == "true" || node.text == "false")) {
      into = node.text == "true";
      return true;
    }
    std::string why = "must be true or false";
    if (IsScalar(node) && node.quoted && (node.text == "true" || node.text == "false"))
      why += ", without quotes";
    else if (IsScalar(node) && PlainTextIsNotText(node.text))
      why += ", in lower case; other words and numbers do not count as booleans";
    bad.Invalid(path, Shown(node), why, node.line);
    return false;
  }
  std::string Text(const bool& value) const override { return value ? "true" : "false"; }
  TypeInfo type() const override { return {"boolean", ""}; }
};

class IntegerCodec final : public Codec<int> {
 public:
  IntegerCodec(int minimum, int maximum) : minimum_(minimum), maximum_(maximum) {}

  bool Read(const TextNode& node, const std::string& path, int& into,
            Complaints& bad) const override {
    const auto refuse = [&](const std::string& why) {
      bad.Invalid(path, Shown(node), why, node.line);
      return false;
    };
    if (!IsScalar(node) || !IsDecimal(node.text)) {
      const bool percent = IsScalar(node) && node.text.ends_with('%');
      return refuse(percent ? "must be an integer, without the percent sign"
                            : "must be an integer, in plain decimal digits");
    }
    if (node.quoted) return refuse("must be an integer, without quotes");
    const char* const begin = node.text.data();
    std::int64_t value = 0;
    const auto read = std::from_chars(begin, begin + node.text.size(), value);
    if (read.ec != std::errc{})  // more than 64 bits
      value = node.text.front() == '-' ? std::numeric_limits<std::int64_t>::min()
                                       : std::numeric_limits<std::int64_t>::max();
    if (value < minimum_) return refuse("must be at least " + std::to_string(minimum_));
    if (value > maximum_) return refuse("must be at most " + std::to_string(maximum_));
    into = static_cast<int>(value);
    return true;
  }
  std::string Text(const int& value) const override { return std::to_string(value); }
  TypeInfo type() const override {
    if (maximum_ == std::numeric_limits<int>::max())
      return {"integer", "at least " + std::to_string(minimum_)};
    return {"integer", std::to_string(minimum_) + " … " + std::to_string(maximum_)};
  }

 private:
  // No leading zeros either: old YAML reads those as octal.
  static bool IsDecimal(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  }
  int minimum_, maximum_;
};

class DurationCodec final : public Codec<Millis> {
 public:
  DurationCodec(Millis minimum, Millis maximum) : minimum_(minimum), maximum_(maximum) {}

  bool Read(const TextNode& node, const std::string& path, Millis& into,
            Complaints& bad) const override {
    const auto refuse = [&](const std::string& why) {
      bad.Invalid(path, Shown(node), why, node.line);
      return false;
    };
    if (!IsScalar(node) || node.text.size() > kMaxNumberText)
      return refuse("must be a duration, e.g. 30s, 15m, 1h30m or 7d");
    const auto value = ParseDuration(node.text);
    if (!value) return refuse(WithoutValue(value.error().what, node.text));
    if (*value == Millis::zero() && node.text.find_first_of("123456789") != std::string::npos)
      return refuse("must be at least 1ms, or 0s");
    if (*value < minimum_) return refuse("must be at least " + FormatDuration(minimum_));
    if (*value > maximum_) return refuse("must be at most " + FormatDuration(maximum_));
    into = *value;
    return true;
  }
  std::string Text(const Millis& value) const override { return FormatDuration(value); }
  TypeInfo type() const override {
    if (maximum_ == Millis::max()) return {"duration", ""};
    return {"duration", FormatDuration(minimum_) + " … " + FormatDuration(maximum_)};
  }

 private:
  Millis minimum_, maximum_;
};

class QuantityCodec final : public Codec<std::uint64_t> {
 public:
  bool Read(const TextNode& node, const std::string& path, std::uint64_t& into,
            Complaints& bad) const override {
    if (!IsScalar(node) || node.text.size() > kMaxNumberText) {
      bad.Invalid(path, Shown(node), "must be a quantity of bytes, e.g. 500Mi, 20Gi or 0",
                  node.line);
      return false;
    }
    const auto value = ParseQuantity(node.text);
    if (!value) {
      bad.Invalid(path, Shown(node), WithoutValue(value.error().what, node.text), node.line);
      return false;
    }
    into = *value;
    return true;
  }
  // In the largest binary unit that loses nothing.
  std::string Text(const std::uint64_t& value) const override {
    constexpr const char* kUnits[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    std::uint64_t left = value;
    std::size_t unit = 0;
    while (left != 0 && left % 1024 == 0 && unit + 1 < std::size(kUnits)) {
      left /= 1024;
      ++unit;
    }
    return std::to_string(left) + kUnits[unit];
  }
  TypeInfo type() const override { return {"quantity", ""}; }
};

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || c == '*' || c == '?';
}

// A pattern that no image name can match protects nothing, and its author thinks it does.  So what
// looks like a regular expression is refused.  Source of the characters:
// github.com/distribution/reference, regexp.go.
std::string WhyNoImageMatches(std::string_view pattern) {
  if (pattern.starts_with('[')) {  // a registry by its IPv6 address
    const auto end = pattern.find(']');
    const auto address = pattern.substr(1, end == std::string_view::npos ? end : end - 1);
    if (end == std::string_view::npos || address.find(':') == std::string_view::npos ||
        address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos)
      return "[ only begins a registry's IPv6 address; patterns are globs, not regular expressions";
    pattern.remove_prefix(end + 1);
  }
  const auto odd = std::ranges::find_if(pattern, [](char c) {
    return !IsNameCharacter(c) && c != '/' && c != ':' && c != '@' && c != '+';
  });
  if (odd != pattern.end())
    return "no image name has such a character; patterns are globs with *, ** and ?, not regular "
           "expressions";
  if (pattern.starts_with('.') || pattern.find("/.") != std::string_view::npos)
    return "no part of an image name begins with a dot; * alone stands for any text";
  if (pattern.find("//") != std::string_view::npos) return "a path segment is empty";
  return {};
}

class ImagePatternCodec final : public Codec<ImageGlob> {
 public:
  bool Read(const TextNode& node, const std::string& path, ImageGlob& into,
            Complaints& bad) const override {
    if (!IsText(node, path, bad)) return false;
    auto glob = ImageGlob::Parse(node.text);
    const std::string why =
        glob ? WhyNoImageMatches(node.text) : WithoutValue(glob.error().what, node.text);
    if (!why.empty()) {
      bad.Invalid(path, Shown(node), why, node.line);
      return false;
    }
    into = *std::move(glob);
    return true;
  }
  std::string Text(const ImageGlob& value) const override { return YamlText(value.text()); }
  TypeInfo type() const override { return {"image pattern", ""}; }
};

// A name for people: one line, short enough for a table.
class WordCodec final : public Codec<std::string> {
 public:
  bool Read(const TextNode& node, const std::string& path, std::string& into,
            Complaints& bad) const override {
    if (!IsText(node, path, bad)) return false;
    if (node.text.empty() || node.text.size() > 63 ||
        node.text.find_first_of("\n\t \"") != std::string::npos) {
      bad.Invalid(path, Shown(node), "must be 1 to 63 characters without spaces and quotes",
                  node.line);
      return false;
    }
    into = node.text;
    return true;
  }
  std::string Text(const std::string& value) const override {
    return value.empty() ? std::string() : YamlText(value);
  }
  TypeInfo type() const override { return {"string", ""}; }
};

class TagPatternCodec final : public Codec<std::string> {
 public:
  bool Read(const TextNode& node, const std::string& path, std::string& into,
            Complaints& bad) const override {
    if (!IsText(node, path, bad)) return false;
    const std::string why = WhyNot(node.text);
    if (!why.empty()) {
      bad.Invalid(path, Shown(node), why, node.line);
      return false;
    }
    into = node.text;
    return true;
  }
  std::string Text(const std::string& value) const override { return YamlText(value); }
  TypeInfo type() const override { return {"tag pattern", ""}; }

 private:
  static std::string WhyNot(std::string_view text) {
    if (text.empty()) return "must not be empty";
    if (text.size() > 128) return "must be at most 128 characters, like a tag";
    if (text.find_first_of(":/@") != std::string_view::npos)
      return "must be a pattern for tags alone, such as latest or v1.*; images by name belong in "
             "keep.images";
    if (!std::ranges::all_of(text, IsNameCharacter))
      return "no tag has such a character; patterns are globs with * and ?, not regular "
             "expressions";
    if (text.front() == '.' || text.front() == '-')
      return "no tag begins with a dot or a dash; * alone stands for any text";
    return {};
  }
};

}  // namespace

bool IsText(const TextNode& node, const std::string& path, Complaints& bad) {
  if (IsScalar(node) && (node.quoted || !PlainTextIsNotText(node.text))) return true;
  bad.Invalid(path, Shown(node), IsScalar(node) ? "must be text; put it in quotes" : "must be text",
              node.line);
  return false;
}

std::string YamlText(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

CodecPtr<bool> Boolean() {
  return std::make_shared<BooleanCodec>();
}
CodecPtr<int> Integer(int minimum, int maximum) {
  return std::make_shared<IntegerCodec>(minimum, maximum);
}
CodecPtr<Millis> Duration(Millis minimum, Millis maximum) {
  return std::make_shared<DurationCodec>(minimum, maximum);
}
CodecPtr<std::uint64_t> Quantity() {
  return std::make_shared<QuantityCodec>();
}
CodecPtr<ImageGlob> ImagePattern() {
  return std::make_shared<ImagePatternCodec>();
}
CodecPtr<std::string> Word() {
  return std::make_shared<WordCodec>();
}

CodecPtr<std::string> TagPattern() {
  return std::make_shared<TagPatternCodec>();
}

}  // namespace imagesweep
