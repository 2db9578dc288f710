#pragma once

#include <cstdint>

#include "agent/gc/plan/plan_context.h"
#include "agent/model/plan.h"

namespace imagesweep {

// Plans for a free-space target: selects every candidate of the policy and every idle image, the
// safest removals first (dangling, superseded, by rule, by age, then idle images, least recently
// used first).  The executor stops as soon as `wanted` bytes are available on the image filesystem.
// Selects nothing if they already are, or cannot be.  Pure.
Plan PlanForFreeSpace(const PlanContext& context, std::uint64_t wanted);

// The bytes to free.  0: enough are available, or the disk use is unknown.
std::uint64_t MissingFreeSpace(const Observation& seen, std::uint64_t wanted);

}  // namespace imagesweep
