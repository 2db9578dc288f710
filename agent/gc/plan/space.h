#pragma once

#include <string>

#include "agent/gc/plan/plan_context.h"
#include "agent/model/plan.h"

namespace imagesweep {

// Selects images for space, least recently used first, until they and the earlier removals reach
// the goal.  Selects idle images down to the low thresholds.  If disk use is critical, it then
// selects images that only the policy's minimumAge or lastPerRepository keeps, until disk use is no
// longer critical.  Adds them to the plan's removals.  Images that are unavailable or over a limit
// of the run do not count: others replace them.  Frees at most one image more than the goal. Where
// the layers are known, an image that frees less than 1 MiB stays, unless others that share its
// layers are removed with it.
void PickForSpace(const PlanContext& context, Plan& plan);

// Defers an idle image whose removal frees less than 1 MiB.  `goal`: "disk use 91% is at or above
// 75%".
void SkipLowYield(Decision& decision, const std::string& goal);

}  // namespace imagesweep
