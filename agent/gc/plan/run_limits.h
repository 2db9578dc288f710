#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/gc/plan/plan_context.h"
#include "agent/model/policy.h"
#include "agent/model/report.h"

namespace imagesweep {

// The part of the policy's limits that is left for this run.
class RunLimits {
 public:
  explicit RunLimits(const PlanContext& context);

  // Why the limits do not allow another image of this size, as a clause: "this run has reached
  // limits.maxImages 50".  Empty: they allow it.
  std::string WhyNot(std::uint64_t bytes) const;
  void Take(std::uint64_t bytes);

 private:
  const Limits& limits_;
  const std::size_t all_;
  const std::size_t percent_cap_;
  std::size_t images_ = 0;
  std::uint64_t bytes_ = 0;
};

// Returns the images that exceed the first of the policy's sizeLimits that matches them, by the
// runtime's sizes.  Only for reports: no image is removed for its size.
std::vector<Oversized> FindOversized(const Policy& policy, const Observation& seen);

}  // namespace imagesweep
