#pragma once

#include <vector>

#include "agent/model/plan.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// The tags for which rules with Untag decide: those whose ages ChooseUntags asks for.
std::vector<ImageName> TagsToWatch(const Policy& policy, const std::vector<Image>& images);

// Those of them that go, from images which stay by `plan`.  None is named by a pod, a container or
// a workload, counted or not, nor was within minimumAge (Observation::tag_ages), and none is kept
// by its name.  Each image keeps a tag of each of its repositories, so that it is judged as before,
// and rollback room all that make it that.  Images that cannot be pulled again keep all tags, as do
// pinned ones, the pause image, imagesweep's own, and those that are too young.  At most
// limits.maxImages; none outside the windows.  In the order of their names.
std::vector<NameToDrop> ChooseUntags(const Scene& scene, const Plan& plan);

}  // namespace imagesweep
