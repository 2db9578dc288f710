#pragma once

#include "agent/gc/plan/plan_context.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Pure: the same arguments always give the same plan, in any order of the images.  No I/O, no
// clock, no log.  An image stays if nothing selects it for removal.
Plan MakePlan(const PlanContext& context);

// Selects the images that the policy removes at any disk use.  The safest removals come first.
Plan PlanByPolicy(const PlanContext& context);

// The first part of MakePlan: selects every image to remove, now or later.  Defer() is the second.
Plan PlanWithDiskPressure(const PlanContext& context);

Plan MakePlan(const Policy& policy, const Observation& seen);

}  // namespace imagesweep
