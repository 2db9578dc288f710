#pragma once

#include <vector>

#include "agent/model/plan.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// Whether any rule is about single tags.
bool AsksToUntag(const Policy& policy);

// The tags that some policy may take: those beside another of the same repository on one image.
// Their ages are watched whatever the policy says, so that a look with another one, or the first
// with a new one, does not make them young.
std::vector<ImageName> TagsToWatch(const std::vector<Image>& images);

// Fills in plan.untags and plan.tags_that_stay: the tags for which rules with Untag decide, of
// images that stay by `plan`.  None goes that is named by a pod, a container or a workload, counted
// or not, or was within minimumAge (Observation::tag_ages), or that is kept by its name.  Each
// image keeps a tag of each of its repositories, so that it is judged as before, and rollback room
// all that make it that.  Images that cannot be pulled again keep all tags, as do pinned ones, the
// pause image, imagesweep's own, and those that are too young.  At most limits.maxImages; none
// outside the windows.  In the order of their names.
void ChooseUntags(const Scene& scene, Plan& plan);

}  // namespace imagesweep
