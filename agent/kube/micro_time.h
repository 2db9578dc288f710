#pragma once

#include <string>

#include "agent/base/clock.h"

namespace imagesweep::kube {

// metav1.MicroTime is read back only with six digits.
std::string MicroTime(SystemTime time);

}  // namespace imagesweep::kube
