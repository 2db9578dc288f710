#pragma once

#include <array>

#include "agent/gc/plan/verdict_rules.h"

namespace imagesweep {

// The first of VerdictRules(): needs for an image.  No policy overrides them, except for
// keep.workloads.
const std::array<VerdictRule, 5>& Protections();

}  // namespace imagesweep
