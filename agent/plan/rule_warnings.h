#pragma once

#include <string>
#include <vector>

#include "agent/model/policy.h"

namespace imagesweep {

// What is valid in a policy and yet looks like a mistake, without a node: rules that decide for
// nothing because one before them selects every name, rules of the same name, which reports cannot
// tell apart, and an archive that nothing would ever be written to.  One line each.
std::vector<std::string> RuleWarnings(const Policy& policy);

}  // namespace imagesweep
