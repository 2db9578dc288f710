#pragma once

#include <array>

#include "agent/plan/questions.h"

namespace imagesweep {

// The first of Questions(): what needs an image, which no policy overrules but by keep.workloads.
const std::array<Question, 5>& Protections();

}  // namespace imagesweep
