#pragma once

#include <functional>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/analysis.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Returns the images whose verdict or code differs between two plans of one observation, by name.
std::vector<VerdictChange> Differences(const Observation& seen, const Plan& now, const Plan& then);

// Analyzes which images are needed, and compares the ways to clean up: the policy in force, the
// same policy with each of the three profiles, and the removal of all unused images, as `crictl rmi
// --prune` does.  Recommends Balanced, or Conservative if Balanced removes an image that cannot be
// pulled again.
using PolicyWithProfile = std::function<Result<Policy>(Profile)>;
Analysis Analyze(const Policy& effective_policy, const PolicyWithProfile& with_profile,
                 const Observation& seen);

}  // namespace imagesweep
