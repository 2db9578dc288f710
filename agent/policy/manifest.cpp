#include "agent/policy/manifest.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <system_error>
#include <utility>

#include "agent/policy/codec.h"
#include "agent/policy/override.h"
#include "agent/policy/text_tree.h"
#include "agent/policy/validation_errors.h"

namespace imagesweep {
namespace {

// The code unit of an escape \uXXXX at the front of the text, of which the backslash is the first.
std::optional<unsigned> CodeUnit(std::string_view text) {
  if (text.size() < 6 || !text.starts_with("\\u")) return std::nullopt;
  const char* const begin = text.data() + 2;
  unsigned unit = 0;
  const auto [end, error] = std::from_chars(begin, begin + 4, unit, 16);
  if (error != std::errc() || end != begin + 4) return std::nullopt;
  return unit;
}

// Valid JSON as the YAML that means the same and that the parser reads: tabs between the tokens
// become spaces, and a pair of surrogates becomes the one escape that YAML has for it.
std::string YamlOfJson(std::string_view json) {
  std::string yaml;
  for (std::size_t at = 0; at < json.size(); ++at) {
    if (json[at] != '\\') {
      yaml += json[at] == '\t' ? ' ' : json[at];
      continue;
    }
    const auto high = CodeUnit(json.substr(at));
    const auto low = high ? CodeUnit(json.substr(std::min(at + 6, json.size()))) : std::nullopt;
    if (low && *high >= 0xD800 && *high < 0xDC00 && *low >= 0xDC00 && *low < 0xE000) {
      constexpr char kDigits[] = "0123456789ABCDEF";
      const unsigned code = 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00);
      yaml += "\\U";
      for (int shift = 28; shift >= 0; shift -= 4) yaml += kDigits[code >> shift & 0xF];
      at += 11;
    } else {
      yaml += json.substr(at++, 2);
    }
  }
  return yaml;
}

std::string TextOf(const TextNode* map, std::string_view name) {
  if (map == nullptr) return {};
  const TextNode* const node = Child(*map, name);
  return node != nullptr && IsScalar(*node) ? node->text : std::string();
}

// "shop/policy"
std::string NameOf(const TextNode& manifest) {
  const TextNode* const metadata = Child(manifest, "metadata");
  const std::string name = TextOf(metadata, "name");
  const std::string name_space = TextOf(metadata, "namespace");
  return name.empty() || name_space.empty() ? name : name_space + "/" + name;
}

// Of a key that is there twice, this program and kubectl could read different ones.
void ReportDuplicates(const TextNode& map, std::string_view path, ValidationErrors& errors) {
  std::map<std::string_view, int> lines;
  for (const TextEntry& entry : map.entries)
    if (const auto [first, added] = lines.emplace(entry.name, entry.line); !added)
      errors.Duplicate(Below(path, entry.name), first->second, entry.line);
}

std::string NoSuchKey(const TextNode* data, const std::string& key) {
  std::string others;
  for (const TextEntry& entry : data != nullptr ? data->entries : std::vector<TextEntry>())
    others += (others.empty() ? "" : ", ") + Quoted(entry.name);
  return "has no key " + Quoted(key) +
         (others.empty() ? ""
                         : " in data, which has " + others + "; select a key with --policy-key");
}

// The lines of a literal block are lines of the document; those of all other texts are not.
bool IsLiteralBlock(std::string_view document, const TextNode& text) {
  for (int line = 1; line < text.line; ++line) document.remove_prefix(document.find('\n') + 1);
  return document.substr(static_cast<std::size_t>(text.column)).starts_with('|');
}

}  // namespace

Result<std::optional<ManifestPolicy>> FindManifestPolicy(std::string_view document,
                                                         const std::string& key) {
  auto tree = ReadTextTree(document);
  const bool json = !tree && Schema::accept(document);
  if (json) tree = ReadTextTree(YamlOfJson(document));
  if (!tree || tree->kind != TextNode::Kind::kMap || TextOf(&*tree, "kind") != "ConfigMap")
    return std::optional<ManifestPolicy>();
  ManifestPolicy found{.config_map = NameOf(*tree), .text = {}, .lines_before = {}};
  const auto wrong = [&](const std::string& why) {
    const std::string name = found.config_map.empty() ? "" : Quoted(found.config_map) + " ";
    return Error{ErrorKind::kInvalid, "ConfigMap " + name + why};
  };
  ValidationErrors errors;
  ReportDuplicates(*tree, "", errors);
  const TextNode* const data = Child(*tree, "data");
  if (data != nullptr) ReportDuplicates(*data, "data", errors);
  if (!errors.empty()) return errors.ToError();
  const TextNode* const text = data == nullptr ? nullptr : Child(*data, key);
  if (text == nullptr) {
    const TextNode* const binary = Child(*tree, "binaryData");
    if (binary != nullptr && Child(*binary, key) != nullptr)
      return wrong("has the key " + Quoted(key) +
                   " in binaryData; write the policy as text in data instead");
    return wrong(NoSuchKey(data, key));
  }
  if (text->kind == TextNode::Kind::kMap || text->kind == TextNode::Kind::kList)
    errors.Invalid(Below("data", key), Quote(*text),
                   "must be text; write `" + key + ": |` and indent the policy below it",
                   text->line);
  else if (IsScalar(*text))
    IsText(*text, Below("data", key), errors);
  if (!errors.empty()) return errors.ToError();
  found.text = text->text;
  if (!json && text->quoted && IsLiteralBlock(document, *text)) found.lines_before = text->line;
  return std::optional(std::move(found));
}

}  // namespace imagesweep
