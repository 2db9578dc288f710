#pragma once

#include <optional>
#include <vector>

#include "agent/model/evidence.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Of the image filesystems the one that the thresholds apply to: the one that is furthest above a
// high threshold, or closest below it, in percent of bytes or of inodes.  When all thresholds are
// off, the one with the highest use.  Of equals the first.  Empty when there is none.
std::optional<DiskUsage> FullestDisk(const DiskThresholds& thresholds,
                                     const std::vector<DiskUsage>& disks);

// The one with the least available bytes, which limits what can be pulled.
std::optional<DiskUsage> SmallestFreeDisk(const std::vector<DiskUsage>& disks);

}  // namespace imagesweep
