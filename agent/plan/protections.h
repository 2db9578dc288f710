#pragma once

#include <array>

#include "agent/plan/questions.h"

namespace imagesweep {

// The first of Questions(): needs for an image.  No policy overrides them, except for
// keep.workloads.
const std::array<Question, 5>& Protections();

}  // namespace imagesweep
