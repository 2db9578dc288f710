#pragma once

#include <string>
#include <vector>

#include "agent/kube/strict_json.h"
#include "agent/model/evidence.h"
#include "agent/model/reference.h"

namespace imagesweep::kube {

// What one pod says about images.
struct Pod {
  PodKey key;
  std::string resource_version;
  bool finished =
      false;  // Succeeded or Failed: counts through containers that still exist, not by itself
  bool ready = false;  // condition Ready is True
  std::vector<ImageReference> references;
};

// From a core/v1 Pod.  Counted are: containers, init containers (sidecars too), ephemeral
// containers, image volumes, and status image and imageID of each, since the image of a running
// container may be changed in place and then specification and status differ.  kIncomplete for a
// pod that cannot be understood whole: it may need an image that we would not see.
Result<Pod> ParsePod(const Json& object);

}  // namespace imagesweep::kube
