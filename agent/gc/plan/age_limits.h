#pragma once

#include "agent/gc/plan/plan_context.h"

namespace imagesweep {

// The ages that an image must reach.  The rule that selects a name sets the age for this name, else
// the policy does, and all names must be old enough.  The planner, `explain` and the advice all use
// these functions.

// Compared with ImageAge::watched_unused_for.
Millis MinimumAge(const PlanContext& context, ImagePos at);
// The same while disk use is critical: diskUsage.critical.minimumAge replaces the policy's
// minimumAge if it is shorter.  It never replaces the minimumAge of a rule.
Millis MinimumAgeWhenCritical(const PlanContext& context, ImagePos at);
// Compared with ImageAge::unused_for.  Zero: disabled.
Millis MaximumAge(const PlanContext& context, ImagePos at);

// The time until the image reaches its minimum age if nothing uses it.  Zero: already reached.
Millis OldEnoughIn(const PlanContext& context, ImagePos at);

}  // namespace imagesweep
