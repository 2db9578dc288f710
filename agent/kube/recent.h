#pragma once

#include <vector>

#include "agent/model/reference.h"

namespace imagesweep::kube {

// The references of pods between two evaluations.
struct Recent {
  std::vector<ImageReference> references;  // each text once
  // False: the watch was lost, so a pod that came and went before the next list was not seen.
  bool complete = true;
};

}  // namespace imagesweep::kube
