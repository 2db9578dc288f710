#pragma once

#include <vector>

#include "agent/model/analysis.h"
#include "agent/model/policy.h"

namespace imagesweep {

// The policy with a profile in place of its own: the profile's numbers, and of the policy what its
// author wrote by hand about single images: rules, keep patterns, keep.localOnly, limits, windows.
Policy WithProfile(const Policy& policy, Profile profile);

// Images whose verdict, or its reason, differs between two plans of one observation; by name.
std::vector<VerdictChange> Differences(const Observation& seen, const Plan& now, const Plan& then);

// The node by what needs what, and the three profiles side by side with the removal of everything
// unused, which is what `crictl rmi --prune` does.  Recommended is Balanced, or Conservative when
// Balanced would lose an image for good.
Analysis Analyze(const Policy& policy, const Observation& seen);

}  // namespace imagesweep
