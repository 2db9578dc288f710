#pragma once

#include "agent/model/policy.h"

namespace imagesweep {

// The defaults for a node where nothing reads workloads: only pods count.
inline Policy DefaultOfPodsAlone() {
  Policy policy = Policy::Default();
  policy.keep.workloads.enabled = false;
  return policy;
}

}  // namespace imagesweep
