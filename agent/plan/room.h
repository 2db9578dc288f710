#pragma once

#include <cstdint>

#include "agent/model/plan.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// The plan of somebody who asks for room: every image that no protection holds, safest to lose
// first (without a tag, superseded, by rule, by age, then idle ones, least recently used first).
// Which of them really go is found out on the way: the executor ends as soon as `wanted` bytes are
// available on the image filesystem.  An empty list when that is
// so already, or never can be.  Pure.
Plan ChooseForRoom(const Scene& scene, std::uint64_t wanted);

// How much must come free; 0 when there is room, or when the disk is not known.
std::uint64_t MissingRoom(const Observation& seen, std::uint64_t wanted);

}  // namespace imagesweep
