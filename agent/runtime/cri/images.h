#pragma once

#include <vector>

#include "agent/model/image.h"
#include "agent/runtime/cri/stubs.h"

namespace imagesweep::cri {

// Converts the images that the runtime lists. An image without an ID is left out and stays, because
// images are removed by ID only. An ID that is listed twice becomes one image with the names of
// both entries, pinned if either entry is. Docker's "<none>" is not a name and is dropped.
std::vector<Image> ToImages(const std::vector<v1::Image>& listed);
Image ToImage(const v1::Image& listed);

}  // namespace imagesweep::cri
