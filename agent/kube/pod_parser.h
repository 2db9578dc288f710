#pragma once

#include <string>
#include <vector>

#include "agent/kube/json_filter.h"
#include "agent/kube/strict_json.h"
#include "agent/model/evidence.h"
#include "agent/model/reference.h"

namespace imagesweep::kube {

// What one pod says about images.
struct Pod {
  PodKey key;
  std::string resource_version;
  // Succeeded or Failed: counts through containers that still exist, not by itself; but a static
  // pod's, which the kubelet starts again, has references all the same.
  bool finished = false;
  bool ready = false;  // condition Ready is True
  std::vector<ImageReference> references;
};

// All that ParsePod looks at.
Keep PodKeep();

// From a core/v1 Pod.  Counted are: containers, init containers (sidecars too), ephemeral
// containers, image volumes, and status image and imageID of each, since the image of a running
// container may be changed in place and then specification and status differ.  kIncomplete for a
// pod that cannot be understood whole: it may need an image that we would not see.
Result<Pod> ParsePod(const Json& object);

}  // namespace imagesweep::kube
