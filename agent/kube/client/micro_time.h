#pragma once

#include <string>

#include "agent/base/clock.h"

namespace imagesweep::kube {

// The API server reads a metav1.MicroTime only with six digits.
std::string MicroTime(SystemTime time);

}  // namespace imagesweep::kube
