#include "agent/gc/plan/kubelet.h"

#include <algorithm>

namespace imagesweep {

std::vector<std::string> KubeletWarnings(const Policy& policy, const KubeletThresholds& kubelet,
                                         const Observation& seen, const Plan& plan) {
  std::vector<std::string> warnings;
  if (kubelet.high_percent >= 100) return warnings;
  const std::string its = "the kubelet's imageGCHighThresholdPercent " +
                          std::to_string(kubelet.high_percent) + "%" +
                          (kubelet.read ? "" : " (its default, assumed)");
  if (policy.disk.high_percent >= kubelet.high_percent)
    warnings.push_back("diskUsage.highThresholdPercent " +
                       std::to_string(policy.disk.high_percent) + " is not below " + its +
                       ": the kubelet removes images first, and it ignores keep rules");
  if (!seen.disk || seen.disk->capacity_bytes == 0 ||
      seen.disk->used_percent() < kubelet.high_percent)
    return warnings;
  const auto kept = std::ranges::count_if(plan.decisions, [](const Decision& decision) {
    return decision.code == Code::kKeepRule || decision.code == Code::kLocalOnly ||
           decision.code == Code::kRetained || decision.code == Code::kUnknown;
  });
  if (kept > 0)
    warnings.push_back("disk use " + std::to_string(seen.disk->used_percent()) +
                       "% is at or above " + its +
                       ": the kubelet now removes unused images, and can remove " +
                       std::to_string(kept) + " that the policy keeps");
  return warnings;
}

}  // namespace imagesweep
