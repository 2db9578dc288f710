#include "agent/policy/parse.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "agent/policy/fields.h"
#include "agent/policy/override.h"
#include "agent/policy/text_tree.h"
#include "agent/policy/validation_errors.h"

namespace imagesweep {
namespace {

// Read before the other fields, because it sets their defaults.  An invalid profile is reported
// with the other errors.
Profile ProfileOf(const TextNode& policy) {
  const TextNode* const profile = Child(policy, "profile");
  if (profile != nullptr && profile->text == "Conservative") return Profile::kConservative;
  if (profile != nullptr && profile->text == "Aggressive") return Profile::kAggressive;
  return Profile::kBalanced;
}

// The document "profile: X".
TextNode Saying(Profile profile) {
  TextNode word;
  word.kind = TextNode::Kind::kScalar;
  word.text = ToString(profile);
  TextNode map;
  map.kind = TextNode::Kind::kMap;
  map.entries.push_back({"profile", 1, std::move(word)});
  return map;
}

Policy Read(const TextNode& tree, ValidationErrors& errors) {
  Policy policy = Policy::Default(ProfileOf(tree));
  PolicyFields().Read(tree, "", policy, errors);
  return policy;
}

// Reads each override merged into the whole document, so that it cannot contradict the rest, and so
// that a profile in it sets the defaults of all other fields.
void ReadOverrides(const TextNode& tree, Policy& policy, ValidationErrors& errors) {
  const TextNode* const list = Child(tree, "overrides");
  if (list == nullptr) return;
  TextNode base = tree;
  const auto is_list = [](const TextEntry& entry) { return entry.name == "overrides"; };
  std::erase_if(base.entries, is_list);
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const TextNode* const patch = Child(list->items[i], "policy");
    if (patch == nullptr || patch->kind != TextNode::Kind::kMap) continue;  // already reported
    TextNode part = *patch;
    std::erase_if(part.entries,
                  [](const TextEntry& entry) { return !CanBeOverridden(entry.name); });
    ValidationErrors its;
    Policy whole = Read(Overlay(base, part), its);
    errors.AddNew(its, "overrides[" + std::to_string(i) + "].policy: ");
    if (i < policy.overrides.size())
      policy.overrides[i].policy = std::make_shared<const Policy>(std::move(whole));
  }
}

}  // namespace

Result<Policy> ParsePolicy(std::string_view yaml, std::optional<Profile> profile,
                           int lines_before) {
  auto tree = ReadTextTree(yaml, lines_before);
  if (!tree) return tree.error();
  if (tree->kind == TextNode::Kind::kNull) {
    return Error{ErrorKind::kInvalid,
                 "policy: Required value: the document is empty; `imagesweep policy defaults` "
                 "prints a policy to start from"};
  }
  if (profile && tree->kind == TextNode::Kind::kMap)
    tree = Overlay(*std::move(tree), Saying(*profile));
  ValidationErrors errors;
  Policy policy = Read(*tree, errors);
  ReadOverrides(*tree, policy, errors);
  if (!errors.empty()) return errors.ToError();
  return policy;
}

}  // namespace imagesweep
