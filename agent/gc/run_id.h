#pragma once

#include <string>

#include "agent/base/clock.h"

namespace imagesweep {

// A run ID: 12 hexadecimal digits of its time in milliseconds, so that IDs sort by time, and 8
// random ones.
std::string NewRunId(SystemTime now);

}  // namespace imagesweep
