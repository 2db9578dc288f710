#pragma once

#include <optional>
#include <vector>

#include "agent/model/evidence.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Returns the image filesystem that the thresholds apply to: the one that is furthest above a high
// threshold, or closest below it, in percent of bytes or of inodes.  If all thresholds are
// disabled, the one with the highest use.  The first of equals.  Empty if there is none.
std::optional<DiskUsage> FullestDisk(const DiskThresholds& thresholds,
                                     const std::vector<DiskUsage>& disks);

// Returns the one with the fewest available bytes, which limits what can be pulled.
std::optional<DiskUsage> SmallestFreeDisk(const std::vector<DiskUsage>& disks);

}  // namespace imagesweep
