#pragma once

#include <string>
#include <vector>

#include "agent/kube/client/json_filter.h"
#include "agent/kube/client/strict_json.h"
#include "agent/model/evidence.h"
#include "agent/model/reference.h"

namespace imagesweep::kube {

// The image references of one pod.
struct Pod {
  PodKey key;
  std::string resource_version;
  // Succeeded or Failed. Such a pod has no references of its own, only its remaining containers
  // count. A static pod still has references, because the kubelet starts it again.
  bool finished = false;
  bool ready = false;  // condition Ready is True
  std::vector<ImageReference> references;
};

// Everything that ParsePod reads.
Keep PodKeep();

// From a core/v1 Pod. The references are those of containers, init containers (including sidecars),
// ephemeral containers, and image volumes, and the image and imageID in each container status: the
// image of a running container may be changed in place, and then specification and status differ.
// kIncomplete for a pod that cannot be fully understood, because it may need an image that is not
// seen.
Result<Pod> ParsePod(const Json& object);

}  // namespace imagesweep::kube
