#pragma once

#include <vector>

#include "agent/cri/stubs.h"
#include "agent/model/image.h"

namespace imagesweep::cri {

// Turns what the runtime lists into the vocabulary, whatever the number of replies it came in.
// An image without an id is left out: only by its id can an image be removed, so it stays.  An id
// that is listed twice becomes one image with the names of both, pinned when either is.  Docker's
// "<none>" is no name and is dropped.
std::vector<Image> ToImages(const std::vector<v1::Image>& listed);
Image ToImage(const v1::Image& listed);

}  // namespace imagesweep::cri
