#include "agent/policy/override.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

namespace imagesweep {
namespace {

// Source: k8s.io/apimachinery, validation.IsQualifiedName and IsValidLabelValue.
bool IsLabelPart(std::string_view text) {
  const auto alphanumeric = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return text.size() <= 63 &&
         (text.empty() || (alphanumeric(text.front()) && alphanumeric(text.back()))) &&
         std::ranges::all_of(
             text, [&](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool IsLabelName(std::string_view text) {
  const auto slash = text.find('/');
  const auto name = slash == std::string_view::npos ? text : text.substr(slash + 1);
  const auto prefix = slash == std::string_view::npos ? "x" : text.substr(0, slash);
  return !name.empty() && IsLabelPart(name) && !prefix.empty() && prefix.size() <= 253 &&
         prefix.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") ==
             std::string_view::npos;
}

std::string FlowText(const TextNode& node) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  switch (node.kind) {
    case TextNode::Kind::kNull:
      return "null";
    case TextNode::Kind::kScalar:
      return node.quoted || !IsNonStringScalar(node.text) ? YamlText(node.text) : node.text;
    case TextNode::Kind::kList:
      for (const TextNode& item : node.items) add(FlowText(item));
      return "[" + text + "]";
    case TextNode::Kind::kMap:
      for (const TextEntry& entry : node.entries)
        add(YamlText(entry.name) + ": " + FlowText(entry.value));
      return "{" + text + "}";
  }
  return {};
}

class LabelSelectorCodec final : public Codec<std::map<std::string, std::string>> {
 public:
  using Labels = std::map<std::string, std::string>;

  bool Read(const TextNode& node, const std::string& path, Labels& into,
            ValidationErrors& errors) const override {
    if (node.kind != TextNode::Kind::kMap || node.entries.empty()) {
      errors.Invalid(path, Quote(node), "must be a map of at least one label, such as {pool: ci}",
                     node.line);
      return false;
    }
    Labels labels;
    bool good = true;
    for (const auto& [name, line, value] : node.entries) {
      std::string its = path;
      its.append("[").append(name).append("]");
      if (!IsLabelName(name)) {
        errors.Invalid(path, Quoted(name), "must be a valid label name", line);
        good = false;
      } else if (!IsText(value, its, errors)) {
        good = false;
      } else if (!IsLabelPart(value.text)) {
        errors.Invalid(its, Quote(value), "must be a valid label value", line);
        good = false;
      } else if (!labels.emplace(name, value.text).second) {
        errors.Duplicate(its, node.line, line);
        good = false;
      }
    }
    if (good) into = std::move(labels);
    return good;
  }
  std::string Text(const Labels& labels) const override {
    std::string text;
    for (const auto& [name, value] : labels)
      text += (text.empty() ? "" : ", ") + YamlText(name) + ": " + YamlText(value);
    return "{" + text + "}";
  }
  TypeInfo type() const override { return {"map of labels", ""}; }
  Schema ToSchema(const Labels&) const override {
    return {
        {"type", "object"}, {"minProperties", 1}, {"additionalProperties", {{"type", "string"}}}};
  }
};

class PolicyPatchCodec final : public Codec<std::string> {
 public:
  bool Read(const TextNode& node, const std::string& path, std::string& into,
            ValidationErrors& errors) const override {
    if (node.kind != TextNode::Kind::kMap || node.entries.empty()) {
      errors.Invalid(path, Quote(node), "must be a map of the fields to override", node.line);
      return false;
    }
    bool good = true;
    for (const auto& entry : node.entries) {
      if (CanBeOverridden(entry.name)) continue;
      errors.Invalid(Below(path, entry.name), Quote(entry.value), "cannot be overridden",
                     entry.line);
      good = false;
    }
    if (good) into = FlowText(node);
    return good;
  }
  std::string Text(const std::string& written) const override { return written; }
  TypeInfo type() const override { return {"part of a policy", ""}; }
  Schema ToSchema(const std::string&) const override { return {{"type", "object"}}; }
};

}  // namespace

CodecPtr<std::map<std::string, std::string>> LabelSelector() {
  return std::make_shared<LabelSelectorCodec>();
}

CodecPtr<std::string> PolicyPatch() {
  return std::make_shared<PolicyPatchCodec>();
}

const TextNode* Child(const TextNode& map, std::string_view name) {
  const auto found = std::ranges::find(map.entries, name, &TextEntry::name);
  return found == map.entries.end() ? nullptr : &found->value;
}

bool CanBeOverridden(std::string_view field) {
  return field != "apiVersion" && field != "kind" && field != "overrides";
}

TextNode Overlay(TextNode base, const TextNode& patch) {
  if (base.kind != TextNode::Kind::kMap || patch.kind != TextNode::Kind::kMap) return patch;
  std::set<std::string> done;
  for (const TextEntry& entry : patch.entries) {
    const auto known = std::ranges::find(base.entries, entry.name, &TextEntry::name);
    if (!done.insert(entry.name).second || known == base.entries.end()) {
      base.entries.push_back(entry);
      continue;
    }
    // An empty section overrides nothing.
    if (entry.value.kind == TextNode::Kind::kNull && known->value.kind != TextNode::Kind::kScalar)
      continue;
    known->value = Overlay(std::move(known->value), entry.value);
    known->line = entry.line;
  }
  return base;
}

}  // namespace imagesweep
