#pragma once

#include <string>
#include <vector>

#include "agent/model/evidence.h"
#include "agent/runtime/docker/engine.h"

namespace imagesweep::docker {

// Adds a container to `use`: a reference by the ID of its image, one by the text of its creator,
// and one for each image that it mounts, by its text or by an ID of `mounted_ids`.
//
// The labels of cri-dockerd tell the pod, and which containers are sandboxes. Sandboxes do not
// count as containers, as in CRI. Other containers are named by their Compose project and service
// ("shop/web"), or by their own name. Neither is a pod, so only the name of the user has it.
// Source: cri-dockerd, core/container_create.go and sandbox_run.go.
void AddContainer(const ListedContainer& container, const std::vector<std::string>& mounted_ids,
                  RuntimeUse& use);

}  // namespace imagesweep::docker
