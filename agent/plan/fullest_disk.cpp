#include "agent/plan/fullest_disk.h"

#include <algorithm>
#include <limits>

namespace imagesweep {

std::optional<DiskUsage> FullestDisk(const DiskThresholds& thresholds,
                                     const std::vector<DiskUsage>& disks) {
  if (disks.empty()) return std::nullopt;
  const bool off = thresholds.high_percent == 0 && thresholds.inodes.high_percent == 0;
  const auto excess = [&](const DiskUsage& disk) {
    if (off) return disk.used_percent();
    int most = std::numeric_limits<int>::min();
    if (thresholds.high_percent > 0) most = disk.used_percent() - thresholds.high_percent;
    if (thresholds.inodes.high_percent > 0)
      most = std::max(most, disk.inodes_used_percent() - thresholds.inodes.high_percent);
    return most;
  };
  return std::ranges::max(disks, {}, excess);
}

std::optional<DiskUsage> SmallestFreeDisk(const std::vector<DiskUsage>& disks) {
  if (disks.empty()) return std::nullopt;
  return std::ranges::min(disks, {}, &DiskUsage::available_bytes);
}

}  // namespace imagesweep
