#pragma once

#include <string>

#include "agent/kube/client/json_filter.h"
#include "agent/kube/client/strict_json.h"

namespace imagesweep::kube {

// What is read of a volume of a pod or of a pod template.
Keep VolumeKeep();

// The image that a CSI driver mounts as this volume, or an empty text: the attribute `image`, as
// drivers for images name it (warm-metal/container-image-csi-driver).  Another driver may use this
// attribute for something else, so it is a reference that only keeps images.
std::string CsiImage(const Json& volume);

}  // namespace imagesweep::kube
