#pragma once

#include <vector>

#include "agent/model/reference.h"

namespace imagesweep::kube {

// What pods referred to between two looks.
struct Recent {
  std::vector<ImageReference> references;  // each text once
  // False: the watch was lost, and a pod that came and went before the next list was not seen.
  bool complete = true;
};

}  // namespace imagesweep::kube
