#pragma once

#include <string>
#include <vector>

#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Patterns of keep.images and of rules that look like a mistake: written without a registry, which
// means docker.io, matching no image of the node, while the same name from another registry is
// there.  One line each, naming that image and a pattern that would match it; at most five.  Of
// very many patterns on a node with very many images the last are not looked at.
std::vector<std::string> PatternWarnings(const Policy& policy, const Observation& seen);

}  // namespace imagesweep
