#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/plan/scene.h"

namespace imagesweep {

// Sorts positions so that the least recently used image comes first: never used before once used,
// then longer unused, then bigger, then by name.  Rests on observed intervals, not on the wall
// clock, and does not depend on the order of the list.
void SortLeastRecentlyUsedFirst(const Scene& scene, std::vector<std::uint32_t>& images);

struct Space {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
  bool empty() const { return bytes == 0 && inodes == 0; }
};

// What has to come free.
struct SpaceGoal {
  Space to_low_marks;
  // Until disk use is critical no more; empty: it is not (diskUsage.critical.thresholdPercent).
  Space to_safety;
  std::string why;  // "disk use 91% is at or above 75%"
};

// Empty when both uses are below their high marks, unknown, or the marks are off.  The kubelet's
// arithmetic (image_gc_manager.go): capacity * (100 - low) / 100 - available.
std::optional<SpaceGoal> GoalForSpace(const Scene& scene);

}  // namespace imagesweep
