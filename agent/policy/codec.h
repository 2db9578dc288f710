#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/glob.h"
#include "agent/policy/text_tree.h"
#include "agent/policy/validation_errors.h"

namespace imagesweep {

// The type of a field, for documentation and schemas.
struct TypeInfo {
  std::string name;     // "boolean", "integer", "duration", "list of image patterns", …
  std::string allowed;  // "0 … 100", "`Always` or `Never`"; empty: any value of the type
};

// One row of the table of fields, with the value of a policy.
struct FieldRow {
  std::string path;  // "limits.maxImages"
  std::string name;  // "maxImages"
  int depth = 0;
  bool group = false;  // contains the deeper rows that follow, and has no value
  bool required = false;
  TypeInfo type;
  std::string text;  // the value as YAML, on one line
  std::string meaning;
};

// A JSON schema (draft 2020-12) of one type or of the whole document.
using Schema = nlohmann::ordered_json;

// Reads, writes and describes one type.  Codecs compose: Object (object.h) is a codec made of
// fields, and ListOf makes a list of another codec.
template <typename T>
class Codec {
 public:
  virtual ~Codec() = default;
  // Returns false if it reported an error.  `into` is then unchanged or unspecified.
  virtual bool Read(const TextNode& node, const std::string& path, T& into,
                    ValidationErrors& errors) const = 0;
  // The value as YAML on one line.
  virtual std::string Text(const T& value) const = 0;
  virtual TypeInfo type() const = 0;
  // The schema, with `value` as the default.
  virtual Schema ToSchema(const T& value) const = 0;
  // The rows of its fields.  Empty for a plain value.
  virtual std::vector<FieldRow> Rows(const T&, const std::string&, int) const { return {}; }
};

template <typename T>
using CodecPtr = std::shared_ptr<const Codec<T>>;

CodecPtr<bool> Boolean();  // only true and false
CodecPtr<int> Integer(int minimum, int maximum);
CodecPtr<Millis> Duration(Millis minimum, Millis maximum);
CodecPtr<std::uint64_t> Quantity();          // of bytes
CodecPtr<double> Decimal();                  // from 0
CodecPtr<std::chrono::minutes> TimeOfDay();  // "00:00" … "24:00"
CodecPtr<ImageGlob> ImagePattern();
CodecPtr<std::string> TagPattern();
CodecPtr<std::string> Word();  // a short name
CodecPtr<std::string> TimeZone();
CodecPtr<std::string> DirectoryPath();  // absolute, or empty

// The text in double quotes, as YAML and JSON read it.
std::string YamlText(std::string_view text);
inline bool IsScalar(const TextNode& node) {
  return node.kind == TextNode::Kind::kScalar;
}
// Removes the value from the start of a parser's message, because the error already names it.
inline std::string WithoutValue(std::string what, std::string_view value) {
  const std::string prefix = "\"" + std::string(value) + "\" ";
  if (what.starts_with(prefix)) what.erase(0, prefix.size());
  return what;
}
// Reports an error unless the node is a scalar that is text.
bool IsText(const TextNode& node, const std::string& path, ValidationErrors& errors);

// One of a few words for the values of an enum.  `retired`: words of older versions, with the
// reason why they are no longer accepted.
template <typename E>
class Choice final : public Codec<E> {
 public:
  explicit Choice(std::vector<std::pair<std::string, E>> words,
                  std::map<std::string, std::string> retired = {})
      : words_(std::move(words)), retired_(std::move(retired)) {}

  bool Read(const TextNode& node, const std::string& path, E& into,
            ValidationErrors& errors) const override {
    std::vector<std::string> supported;
    for (const auto& [word, value] : words_) {
      if (node.kind == TextNode::Kind::kScalar && node.text == word) {
        into = value;
        return true;
      }
      supported.push_back(word);
    }
    if (const auto it = retired_.find(node.text); IsScalar(node) && it != retired_.end()) {
      errors.Invalid(path, Quote(node), it->second, node.line);
      return false;
    }
    errors.Unsupported(path, Quote(node), supported, node.line);
    return false;
  }
  std::string Text(const E& value) const override {
    for (const auto& [word, meant] : words_)
      if (meant == value) return word;
    return {};
  }
  TypeInfo type() const override {
    std::string allowed;
    for (const auto& [word, value] : words_)
      allowed += (allowed.empty() ? "`" : " or `") + word + "`";
    return {"string", allowed};
  }
  Schema ToSchema(const E& value) const override {
    Schema words = Schema::array();
    for (const auto& [word, meant] : words_) words.push_back(word);
    return {{"type", "string"}, {"enum", words}, {"default", Text(value)}};
  }

 private:
  std::vector<std::pair<std::string, E>> words_;
  std::map<std::string, std::string> retired_;
};

template <typename T>
class ListOf final : public Codec<std::vector<T>> {
 public:
  explicit ListOf(CodecPtr<T> item) : item_(std::move(item)) {}

  bool Read(const TextNode& node, const std::string& path, std::vector<T>& into,
            ValidationErrors& errors) const override {
    if (node.kind != TextNode::Kind::kList) {
      errors.Invalid(path, Quote(node), "must be a list", node.line);
      return false;
    }
    std::vector<T> values(node.items.size());
    bool good = true;
    for (std::size_t i = 0; i < values.size(); ++i)
      good &= item_->Read(node.items[i], path + "[" + std::to_string(i) + "]", values[i], errors);
    if (good) into = std::move(values);
    return good;
  }
  std::string Text(const std::vector<T>& values) const override {
    std::string text;
    for (const T& value : values) text += (text.empty() ? "" : ", ") + item_->Text(value);
    return "[" + text + "]";
  }
  TypeInfo type() const override {
    const TypeInfo item = item_->type();
    return {"list of " + item.name + "s", item.allowed};
  }
  Schema ToSchema(const std::vector<T>&) const override {
    Schema item = item_->ToSchema(T{});
    item.erase("default");
    return {{"type", "array"}, {"items", std::move(item)}};
  }

 private:
  CodecPtr<T> item_;
};

// An optional field.
template <typename T>
class MaybeOf final : public Codec<std::optional<T>> {
 public:
  explicit MaybeOf(CodecPtr<T> value) : value_(std::move(value)) {}

  bool Read(const TextNode& node, const std::string& path, std::optional<T>& into,
            ValidationErrors& errors) const override {
    T value{};
    if (!value_->Read(node, path, value, errors)) return false;
    into = value;
    return true;
  }
  std::string Text(const std::optional<T>& value) const override {
    return value ? value_->Text(*value) : std::string();
  }
  TypeInfo type() const override { return value_->type(); }
  Schema ToSchema(const std::optional<T>& value) const override {
    Schema schema = value_->ToSchema(value.value_or(T{}));
    if (!value) schema.erase("default");
    return schema;
  }

 private:
  CodecPtr<T> value_;
};

template <typename T>
CodecPtr<std::optional<T>> Maybe(CodecPtr<T> value) {
  return std::make_shared<MaybeOf<T>>(std::move(value));
}

}  // namespace imagesweep
