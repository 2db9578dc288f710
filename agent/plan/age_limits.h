#pragma once

#include <cstdint>

#include "agent/plan/scene.h"

namespace imagesweep {

// The ages that an image must reach.  The rule that selects a name sets the age for this name, else
// the policy does, and all names must be old enough.  The planner, `explain` and the advice all use
// these functions.

// Compared with ImageAge::watched_unused_for.
Millis MinimumAge(const Scene& scene, std::uint32_t at);
// The same while disk use is critical: diskUsage.critical.minimumAge replaces the policy's
// minimumAge if it is shorter.  It never replaces the minimumAge of a rule.
Millis MinimumAgeWhenCritical(const Scene& scene, std::uint32_t at);
// Compared with ImageAge::unused_for.  Zero: disabled.
Millis MaximumAge(const Scene& scene, std::uint32_t at);

// The time until the image reaches its minimum age if nothing uses it.  Zero: already reached.
Millis OldEnoughIn(const Scene& scene, std::uint32_t at);

}  // namespace imagesweep
