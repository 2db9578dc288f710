#pragma once

#include "agent/model/plan.h"
#include "agent/model/policy.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// Pure: the same arguments always give the same plan, whatever the order of the images.  No I/O, no
// clock, no log.  Keeping is what is left when nothing asks for removal.
Plan MakePlan(const Scene& scene);

// What is to go by itself, however full the disk is; safest to lose first.
Plan ChooseUnpressed(const Scene& scene);

// The first part of MakePlan: every image that is to go, if not now then later.  Defer() is the
// other.
Plan Choose(const Scene& scene);

Plan MakePlan(const Policy& policy, const Observation& seen);

}  // namespace imagesweep
