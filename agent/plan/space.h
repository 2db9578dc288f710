#pragma once

#include <string>

#include "agent/model/plan.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// Picks images for space, least recently used first, until the goal is met by what goes anyway and
// what is picked: idle ones down to the low marks, and when disk use is critical, then also younger
// ones and rollback room, until it is critical no more.  Adds them to the plan's removals.  What
// is unavailable, or has no place within the limits of a run, counts for nothing: others go in its
// place.  Never more than the goal and the rest of one image.  Where the layers are known, an image
// that frees less than 1 MiB stays, unless others that share its layers go with it.
void PickForSpace(const Scene& scene, Plan& plan);

// Idle, wanted for space, and of no use for it.  `goal`: "disk use 91% is at or above 75%".
void PassOver(Decision& decision, const std::string& goal);

}  // namespace imagesweep
