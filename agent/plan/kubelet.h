#pragma once

#include <string>
#include <vector>

#include "agent/model/kubelet.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Where the kubelet's own image collector would be faster or less careful than the policy: it knows
// neither keep rules nor rollback room, and acts on disk use alone.
std::vector<std::string> KubeletWarnings(const Policy& policy, const KubeletThresholds& kubelet,
                                         const Observation& seen, const Plan& plan);

}  // namespace imagesweep
