#pragma once

#include <string>
#include <vector>

#include "agent/model/policy.h"
#include "agent/policy/codec.h"

namespace imagesweep {

// The one table of the policy's fields: the parser, `policy defaults`, the JSON schema and the
// reference page are all made from it.  A new field is a member of Policy and a line there.
const Codec<Policy>& PolicyFields();

// The fields of one entry of a list, for the reference page.
struct ItemTable {
  std::string field;  // the list: "rules"
  std::string title;
  std::vector<FieldRow> rows;
};
std::vector<ItemTable> ItemTables();

}  // namespace imagesweep
