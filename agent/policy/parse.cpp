#include "agent/policy/parse.h"

#include <string>

#include "agent/policy/complaints.h"
#include "agent/policy/fields.h"
#include "agent/policy/text_tree.h"

namespace imagesweep {

Result<Policy> ParsePolicy(std::string_view yaml) {
  const auto tree = ReadTextTree(yaml);
  if (!tree) return tree.error();
  if (tree->kind == TextNode::Kind::kNull) {
    return Error{ErrorKind::kInvalid,
                 "policy: Required value: the document is empty; `imagesweep policy defaults` "
                 "prints one to start from"};
  }
  Complaints bad;
  Policy policy = Policy::Default();
  if (!PolicyFields().Read(*tree, "", policy, bad) || !bad.empty()) return bad.ToError();
  return policy;
}

}  // namespace imagesweep
