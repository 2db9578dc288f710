#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/plan/scene.h"

namespace imagesweep {

// Sorts positions so that the least recently used image comes first: images that were never used,
// then the longest unused, then the largest, then by name.  Uses observed intervals, not the wall
// clock, and does not depend on the order of the list.
void SortLeastRecentlyUsedFirst(const Scene& scene, std::vector<std::uint32_t>& images);

struct Space {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
  bool empty() const { return bytes == 0 && inodes == 0; }
};

// The space to free.
struct SpaceGoal {
  Space to_low_marks;
  // Until disk use is below diskUsage.critical.thresholdPercent.  Empty: it is not critical.
  Space to_safety;
  std::string why;  // "disk use 91% is at or above 75%"
};

// Empty if both uses are below their high thresholds or unknown, or the thresholds are disabled.
// Same arithmetic as the kubelet (image_gc_manager.go): capacity * (100 - low) / 100 - available.
std::optional<SpaceGoal> GoalForSpace(const Scene& scene);

}  // namespace imagesweep
