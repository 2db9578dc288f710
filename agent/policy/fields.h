#pragma once

#include "agent/model/policy.h"
#include "agent/policy/codec.h"

namespace imagesweep {

// The one table of the policy's fields: the parser, `policy defaults` and the reference page are
// all made from it.  A new field is a member of Policy and a line there.
const Codec<Policy>& PolicyFields();

// The same of one entry of `rules`.
const Codec<Rule>& RuleTable();

}  // namespace imagesweep
