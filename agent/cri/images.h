#pragma once

#include <vector>

#include "agent/base/result.h"
#include "agent/cri/stubs.h"
#include "agent/model/image.h"

namespace imagesweep::cri {

// Turns what the runtime lists into the vocabulary, whatever the number of replies it came in.
// One image without an id makes the whole list an error (kIncomplete): a list that is wrong once
// proves nothing.  An id that is listed twice becomes one image with the names of both, pinned when
// either is.  Docker's "<none>" is no name and is dropped.
Result<std::vector<Image>> ToImages(const std::vector<v1::Image>& listed);
Image ToImage(const v1::Image& listed);

}  // namespace imagesweep::cri
