#pragma once

#include <string>
#include <vector>

#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Patterns that look like a mistake on this node; one line each, naming an image and a pattern that
// would match it; at most five:
//   - of keep.images and of rules that keep: one that leaves out an image which its obvious wider
//     form would keep (registry.example/* and registry.example/team/app), and nothing else keeps;
//   - of those and of all rules: one without a registry, which means docker.io, that matches no
//     image, while the same name from another registry is there.
// Of very many patterns on a node with very many images the last are not looked at.
std::vector<std::string> PatternWarnings(const Policy& policy, const Observation& seen);

// Patterns that protect less than they seem to whatever the node has: `*` alone, and `*` behind a
// registry.  One line each.
std::vector<std::string> PatternWarnings(const Policy& policy);

}  // namespace imagesweep
