#pragma once

#include <functional>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/analysis.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Images whose verdict, or its reason, differs between two plans of one observation; by name.
std::vector<VerdictChange> Differences(const Observation& seen, const Plan& now, const Plan& then);

// The node by what needs what, and the ways to clean up side by side: the policy in force, the same
// with each of the three profiles, and the removal of everything unused, which is what `crictl rmi
// --prune` does.  Recommended is Balanced, or Conservative when Balanced would lose an image for
// good.
using PolicyWithProfile = std::function<Result<Policy>(Profile)>;
Analysis Analyze(const Policy& in_force, const PolicyWithProfile& with_profile,
                 const Observation& seen);

}  // namespace imagesweep
