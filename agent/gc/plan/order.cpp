#include "agent/gc/plan/order.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace imagesweep {

void SortLeastRecentlyUsedFirst(const PlanContext& context, std::vector<ImagePos>& images) {
  const auto key = [&](ImagePos at) {
    const ImageAge& age = context.age(at);
    const Image& image = context.image(at);
    return std::tuple(age.last_used.has_value(), -age.unused_for.count(), ~image.size_bytes,
                      std::string_view(image.display_name()), std::string_view(image.id.text()));
  };
  std::ranges::sort(images, {}, key);
}

namespace {

// The space to free to get from `used_percent` to `low`.  0 below `high`.
std::uint64_t ToFree(int high, int low, int used_percent, std::uint64_t capacity,
                     std::uint64_t available) {
  if (high == 0 || capacity == 0 || used_percent < high) return 0;
  const auto wanted = static_cast<std::uint64_t>(static_cast<double>(capacity) * (100 - low) / 100);
  return wanted > available ? wanted - available : 0;
}

}  // namespace

std::optional<SpaceGoal> GoalForSpace(const PlanContext& context) {
  const DiskThresholds& thresholds = context.policy().disk;
  const auto& disk = context.seen().disk;
  if (!disk || disk->capacity_bytes == 0) return std::nullopt;
  const int bytes = disk->used_percent();
  const int inodes = disk->inodes_used_percent();
  const auto space = [&](int high_bytes, int low_bytes, int high_inodes,
                         int low_inodes) -> DiskSpace {
    return {ToFree(high_bytes, low_bytes, bytes, disk->capacity_bytes, disk->available_bytes),
            ToFree(high_inodes, low_inodes, inodes, disk->inodes, disk->inodes_free)};
  };
  SpaceGoal goal;
  goal.to_low_threshold = space(thresholds.high_percent, thresholds.low_percent,
                                thresholds.inodes.high_percent, thresholds.inodes.low_percent);
  if (goal.to_low_threshold.empty()) return std::nullopt;
  // Bytes or inodes below their high threshold, or without one, are not critical.
  const int critical = thresholds.critical.threshold_percent;
  const bool any_bytes = goal.to_low_threshold.bytes > 0,
             any_inodes = goal.to_low_threshold.inodes > 0;
  goal.below_critical = space(any_bytes ? critical : 0, std::max(critical - 1, 0),
                              any_inodes ? critical : 0, std::max(critical - 1, 0));
  goal.why = any_bytes ? "disk use " + std::to_string(bytes) + "% is at or above " +
                             std::to_string(thresholds.high_percent) + "%"
                       : "inode use " + std::to_string(inodes) + "% is at or above " +
                             std::to_string(thresholds.inodes.high_percent) + "%";
  return goal;
}

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
