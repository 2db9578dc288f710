#pragma once

#include <vector>

#include "agent/model/policy.h"
#include "agent/model/report.h"

namespace imagesweep {

// Returns the images that exceed the first of the policy's sizeLimits that matches them, by the
// runtime's sizes.  Only for reports: no image is removed for its size.
std::vector<Oversized> FindOversized(const Policy& policy, const Observation& seen);

}  // namespace imagesweep
