#pragma once

#include <vector>

#include "agent/model/policy.h"
#include "agent/model/report.h"

namespace imagesweep {

// The images that are larger than the first of the policy's sizeLimits that matches them allows,
// by the runtime's sizes.  Nothing is ever removed for it.
std::vector<Oversized> FindOversized(const Policy& policy, const Observation& seen);

}  // namespace imagesweep
