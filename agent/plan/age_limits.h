#pragma once

#include <cstdint>

#include "agent/plan/scene.h"

namespace imagesweep {

// The ages that one image must reach.  Each of its names counts by the rule that selects it, else
// by the policy, and all names must be old enough.  Deciding, explaining and advice read these
// alone.

// Of ImageAge::watched_unused_for.
Millis MinimumAge(const Scene& scene, std::uint32_t at);
// The same while disk use is critical: diskUsage.critical.minimumAge in place of the policy's, if
// shorter, never in place of a rule's own.
Millis MinimumAgeWhenCritical(const Scene& scene, std::uint32_t at);
// Of ImageAge::unused_for; zero: off.
Millis MaximumAge(const Scene& scene, std::uint32_t at);

// How long until the image reaches its minimum age, if nothing uses it; zero: it has.
Millis OldEnoughIn(const Scene& scene, std::uint32_t at);

}  // namespace imagesweep
