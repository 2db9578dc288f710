#include <algorithm>

#include "agent/base/unicode.h"
#include "agent/model/pattern_check.h"
#include "agent/model/window.h"
#include "agent/policy/codec.h"

// Codecs of names and of patterns for names.

namespace imagesweep {
namespace {

class ImagePatternCodec final : public Codec<ImageGlob> {
 public:
  bool Read(const TextNode& node, const std::string& path, ImageGlob& into,
            ValidationErrors& errors) const override {
    if (!IsText(node, path, errors)) return false;
    auto glob = ImageGlob::Parse(node.text);
    if (!glob) {
      errors.Invalid(path, Quote(node), WhyNotImagePattern(node.text), node.line);
      return false;
    }
    into = *std::move(glob);
    return true;
  }
  std::string Text(const ImageGlob& value) const override { return YamlText(value.text()); }
  TypeInfo type() const override { return {"image pattern", ""}; }
  Schema ToSchema(const ImageGlob&) const override { return {{"type", "string"}}; }
};

// A text that is kept as it is written.
class TextCodec : public Codec<std::string> {
 public:
  bool Read(const TextNode& node, const std::string& path, std::string& into,
            ValidationErrors& errors) const final {
    if (!IsText(node, path, errors)) return false;
    const std::string why = WhyNot(node.text, path);
    if (!why.empty()) {
      errors.Invalid(path, Quote(node), why, node.line);
      return false;
    }
    into = node.text;
    return true;
  }
  std::string Text(const std::string& value) const override { return YamlText(value); }

 private:
  // Empty: valid.
  virtual std::string WhyNot(std::string_view text, std::string_view path) const = 0;
};

// A display name: one line, short enough for a table.
class WordCodec final : public TextCodec {
 public:
  std::string Text(const std::string& value) const override {
    return value.empty() ? std::string() : YamlText(value);
  }
  TypeInfo type() const override { return {"string", ""}; }
  Schema ToSchema(const std::string&) const override {
    return {{"type", "string"}, {"minLength", 1}, {"maxLength", 63}};
  }

 private:
  std::string WhyNot(std::string_view text, std::string_view) const override {
    const bool valid = !text.empty() && text.size() <= 63 &&
                       text.find_first_of("\n\t \"") == std::string_view::npos;
    return valid ? "" : "must be 1 to 63 characters without spaces and quotes";
  }
};

class TagPatternCodec final : public TextCodec {
 public:
  TypeInfo type() const override { return {"tag pattern", ""}; }
  Schema ToSchema(const std::string&) const override {
    return {{"type", "string"}, {"minLength", 1}, {"maxLength", 128}};
  }

 private:
  std::string WhyNot(std::string_view text, std::string_view path) const override {
    const bool keep = path.starts_with("keep.");
    return WhyNotTagPattern(text, keep ? "keep.images" : "the selector's images");
  }
};

class TimeZoneCodec final : public TextCodec {
 public:
  TypeInfo type() const override { return {"time zone", ""}; }
  Schema ToSchema(const std::string& value) const override {
    return {{"type", "string"}, {"default", value}};
  }

 private:
  std::string WhyNot(std::string_view text, std::string_view) const override {
    if (IsTimeZone(text)) return {};
    return "must be a name of the IANA time zone database, such as Europe/Berlin or UTC";
  }
};

// A directory that the agent writes to.  A relative path would depend on the working directory.
class DirectoryPathCodec final : public TextCodec {
 public:
  TypeInfo type() const override { return {"path", "absolute, or empty"}; }
  Schema ToSchema(const std::string& value) const override {
    return {{"type", "string"}, {"pattern", "^(/|$)"}, {"default", value}};
  }

 private:
  std::string WhyNot(std::string_view text, std::string_view) const override {
    if (text.empty()) return {};
    if (text.front() != '/') return "must be an absolute path, or empty";
    if (text.size() > kMaxPath) return "must be at most 4000 characters";
    if (std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 127; }))
      return "must not contain control characters";
    if (FindInvisible(text)) return "must not contain invisible characters";
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find('/', at + 1), text.size());
      if (text.substr(at, end - at) == "/..") return "must not contain ..";
      at = end;
    }
    return {};
  }
  static constexpr std::size_t kMaxPath = 4000;  // PATH_MAX is 4096, minus a file name
};

}  // namespace

bool IsText(const TextNode& node, const std::string& path, ValidationErrors& errors) {
  if (IsScalar(node) && (node.quoted || !IsNonStringScalar(node.text))) return true;
  errors.Invalid(path, Quote(node),
                 IsScalar(node) ? "must be text; put it in quotes" : "must be text", node.line);
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

CodecPtr<ImageGlob> ImagePattern() {
  return std::make_shared<ImagePatternCodec>();
}
CodecPtr<std::string> Word() {
  return std::make_shared<WordCodec>();
}

CodecPtr<std::string> TagPattern() {
  return std::make_shared<TagPatternCodec>();
}

CodecPtr<std::string> DirectoryPath() {
  return std::make_shared<DirectoryPathCodec>();
}
CodecPtr<std::string> TimeZone() {
  return std::make_shared<TimeZoneCodec>();
}

}  // namespace imagesweep
