#pragma once

#include <string>
#include <vector>

#include "agent/model/policy.h"
#include "agent/policy/codec.h"

namespace imagesweep {

// The table of the policy's fields.  The parser, `policy defaults`, the JSON schema and the
// reference page use it.  To add a field, add a member to Policy and a line to the table.
const Codec<Policy>& PolicyFields();

// The fields of one entry of a list, for the reference page.
struct ItemTable {
  std::string field;  // the list: "rules"
  std::string title;
  std::vector<FieldRow> rows;
};
std::vector<ItemTable> ItemTables();

}  // namespace imagesweep
