#pragma once

#include <span>

#include "agent/imagestore/graph/graph.h"
#include "agent/model/evidence.h"

namespace imagesweep {

// Adds what uses images in the CRI's namespace and is in no list of the CRI.  `images`: the images
// that the graph was built with.
//   - Containers of `ctr` and `nerdctl`, or lost in a restart of the runtime (containerd issue
//     7247).  Both the image that they name, which may have changed, and the image that they run on
//     count as in use.
//   - Mounts without a container.
void AddUnlistedUse(const layers::LayerGraph& graph, std::span<const Image> images,
                    RuntimeUse& use);

// True if the runtime's own store lists none of the containers that the runtime lists.  Then its
// containers are elsewhere (transient_store in storage.conf), and so may be others.
bool MissesAllContainers(const layers::LayerGraph& graph, const RuntimeUse& use);

}  // namespace imagesweep
