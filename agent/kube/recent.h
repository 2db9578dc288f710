#pragma once

#include <vector>

#include "agent/model/reference.h"

namespace imagesweep::kube {

// What pods referred to between two looks.
struct Recent {
  std::vector<ImageReference> references;  // each text once
  // False: the pods had to be listed anew, and one that came and went before that was not seen.
  bool complete = true;
};

}  // namespace imagesweep::kube
