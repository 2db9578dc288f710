#include "agent/policy/parse.h"

#include <string>

#include "agent/policy/complaints.h"
#include "agent/policy/fields.h"
#include "agent/policy/text_tree.h"

namespace imagesweep {
namespace {

// Read ahead of the others, because it says what they are when they are not written.  A wrong one
// is complained about with everything else.
Profile ProfileOf(const TextNode& policy) {
  for (const auto& entry : policy.entries) {
    if (entry.name != "profile") continue;
    if (entry.value.text == "Conservative") return Profile::kConservative;
    if (entry.value.text == "Aggressive") return Profile::kAggressive;
  }
  return Profile::kBalanced;
}

}  // namespace

Result<Policy> ParsePolicy(std::string_view yaml) {
  const auto tree = ReadTextTree(yaml);
  if (!tree) return tree.error();
  if (tree->kind == TextNode::Kind::kNull) {
    return Error{ErrorKind::kInvalid,
                 "policy: Required value: the document is empty; `imagesweep policy defaults` "
                 "prints one to start from"};
  }
  Complaints bad;
  Policy policy = Policy::Default(ProfileOf(*tree));
  if (!PolicyFields().Read(*tree, "", policy, bad) || !bad.empty()) return bad.ToError();
  return policy;
}

}  // namespace imagesweep
