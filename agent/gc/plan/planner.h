#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "agent/gc/plan/plan_context.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

struct PlanOptions {
  // Bytes that must be available on the image filesystem; 0: the thresholds of the policy decide.
  std::uint64_t free_space_target = 0;
  // For limits.confirmRuns: gets the plan before anything is deferred, and returns for each image
  // how many evaluations in a row selected it for removal.  Empty: removals need no confirmation.
  std::function<ByImage<int>(const Plan&)> count_evaluations = {};
};

// The plan of a run, of `plan`, and of every test.  Pure, apart from what count_evaluations does:
// the same arguments always give the same plan, in any order of the images.  No I/O, no
// clock, no log.  An image that nothing selects for removal stays.
Plan MakePlan(const PlanContext& context, const PlanOptions& options = {});
Plan MakePlan(const Policy& policy, const Observation& seen);

// The parts of MakePlan, in their order.
// What the policy removes at any disk usage; the images that are safest to lose come first.
Plan PlanByPolicy(const PlanContext& context);
// The same, and what disk usage adds: every image that is to be removed now or later.  Defer()
// finds out which of them have to wait.
Plan PlanWithDiskPressure(const PlanContext& context);

}  // namespace imagesweep
