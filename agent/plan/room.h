#pragma once

#include <cstdint>

#include "agent/model/plan.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// Plans for a free-space target: selects every image that no protection holds, the safest removals
// first (dangling, superseded, by rule, by age, then idle images, least recently used first).  The
// executor stops as soon as `wanted` bytes are available on the image filesystem.  Selects nothing
// if they already are, or cannot be.  Pure.
Plan ChooseForRoom(const Scene& scene, std::uint64_t wanted);

// The bytes to free.  0: enough are available, or the disk use is unknown.
std::uint64_t MissingRoom(const Observation& seen, std::uint64_t wanted);

}  // namespace imagesweep
