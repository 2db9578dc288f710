#pragma once

#include <string>
#include <vector>

#include "agent/model/evidence.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Warnings about cases in which the kubelet's image garbage collection acts before imagesweep.  It
// looks at disk use alone and ignores keep rules and versions kept for rollback.
std::vector<std::string> KubeletWarnings(const Policy& policy, const KubeletThresholds& kubelet,
                                         const Observation& seen, const Plan& plan);

}  // namespace imagesweep
