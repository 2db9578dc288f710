#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/gc/plan/plan_context.h"
#include "agent/model/evidence.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Sorts positions so that the least recently used image comes first: images that were never used,
// then the longest unused, then the largest, then by name.  Uses observed intervals, not the wall
// clock, and does not depend on the order of the list.
void SortLeastRecentlyUsedFirst(const PlanContext& context, std::vector<ImagePos>& images);

struct DiskSpace {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
  bool empty() const { return bytes == 0 && inodes == 0; }
};

// The space to free.
struct SpaceGoal {
  DiskSpace to_low_threshold;
  // Until disk use is below diskUsage.critical.thresholdPercent.  Empty: it is not critical.
  DiskSpace below_critical;
  std::string why;  // "disk use 91% is at or above 75%"
};

// Empty if both uses are below their high thresholds or unknown, or the thresholds are disabled.
// Same arithmetic as the kubelet (image_gc_manager.go): capacity * (100 - low) / 100 - available.
std::optional<SpaceGoal> GoalForSpace(const PlanContext& context);

// Returns the image filesystem that the thresholds apply to: the one that is furthest above a high
// threshold, or closest below it, in percent of bytes or of inodes.  If all thresholds are
// disabled, the one with the highest use.  The first of equals.  Empty if there is none.
std::optional<DiskUsage> FullestDisk(const DiskThresholds& thresholds,
                                     const std::vector<DiskUsage>& disks);

// Returns the one with the fewest available bytes, which limits what can be pulled.
std::optional<DiskUsage> SmallestFreeDisk(const std::vector<DiskUsage>& disks);

}  // namespace imagesweep
