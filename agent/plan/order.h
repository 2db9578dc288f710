#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "agent/plan/scene.h"

namespace imagesweep {

// Sorts positions so that the least recently used image comes first: never used before once used,
// then longer unused, then bigger, then by name.  Rests on observed intervals, not on the wall
// clock, and does not depend on the order of the list.
void SortLeastRecentlyUsedFirst(const Scene& scene, std::vector<std::uint32_t>& images);

// Bytes to free until the image filesystem is at the low mark; empty when it is below the high
// mark, unknown, or the threshold is off.  The kubelet's arithmetic (image_gc_manager.go): capacity
// * (100 - low) / 100 - available.
std::optional<std::uint64_t> BytesToFree(const Scene& scene);

}  // namespace imagesweep
