#pragma once

#include <string>
#include <vector>

#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Warns about patterns that look like a mistake on this node.  Each line names an image and a
// pattern that matches it.  At most five lines:
//   - a pattern of keep.images or of a rule that keeps, if it leaves out an image that its obvious
//     wider form keeps (registry.example/* and registry.example/team/app) and nothing else keeps;
//   - any pattern without a registry, which means docker.io, if it matches no image, but an image
//     of the same name from another registry is on the node.
// With very many patterns and very many images, the last patterns are not checked.
std::vector<std::string> PatternWarnings(const Policy& policy, const Observation& seen);

// Warns about patterns that protect less than they seem to on any node: `*` alone, and `*` after a
// registry.  One line each.
std::vector<std::string> PatternWarnings(const Policy& policy);

// Warns about valid settings of a policy that look like a mistake on any node: rules without an
// effect because an earlier one selects every name, rules of the same name, which reports cannot
// tell apart, and an archive that is never written to.  One line each.
std::vector<std::string> RuleWarnings(const Policy& policy);

}  // namespace imagesweep
