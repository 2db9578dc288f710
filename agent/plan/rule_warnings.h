#pragma once

#include <string>
#include <vector>

#include "agent/model/policy.h"

namespace imagesweep {

// Warns about valid settings of a policy that look like a mistake on any node: rules without an
// effect because an earlier one selects every name, rules of the same name, which reports cannot
// tell apart, and an archive that is never written to.  One line each.
std::vector<std::string> RuleWarnings(const Policy& policy);

}  // namespace imagesweep
