#include "agent/plan/order.h"

#include <algorithm>
#include <tuple>

namespace imagesweep {

void SortLeastRecentlyUsedFirst(const Scene& scene, std::vector<std::uint32_t>& images) {
  const auto key = [&](std::uint32_t at) {
    const ImageAge& age = scene.age(at);
    const Image& image = scene.image(at);
    return std::tuple(age.last_used.has_value(), -age.unused_for.count(), ~image.size_bytes,
                      std::string_view(image.display_name()), std::string_view(image.id.text()));
  };
  std::ranges::sort(images, {}, key);
}

namespace {

// How much of `capacity` must come free so that the low mark is reached; 0: nothing.
std::uint64_t ToFree(const Marks& marks, int used_percent, std::uint64_t capacity,
                     std::uint64_t available) {
  if (marks.high_percent == 0 || capacity == 0 || used_percent < marks.high_percent) return 0;
  const auto wanted =
      static_cast<std::uint64_t>(static_cast<double>(capacity) * (100 - marks.low_percent) / 100);
  return wanted > available ? wanted - available : 0;
}

}  // namespace

std::optional<SpaceGoal> GoalForSpace(const Scene& scene) {
  const DiskThresholds& marks = scene.policy().disk;
  const auto& disk = scene.seen().disk;
  if (!disk || disk->capacity_bytes == 0) return std::nullopt;
  const int bytes = disk->used_percent();
  const int inodes = disk->inodes_used_percent();
  SpaceGoal goal;
  goal.bytes = ToFree(marks, bytes, disk->capacity_bytes, disk->available_bytes);
  goal.inodes = ToFree(marks.inodes, inodes, disk->inodes, disk->inodes_free);
  if (goal.bytes == 0 && goal.inodes == 0) return std::nullopt;
  const auto critical = [&](std::uint64_t to_free, int used) {
    return to_free > 0 && marks.critical.threshold_percent > 0 &&
           used >= marks.critical.threshold_percent;
  };
  goal.critical = critical(goal.bytes, bytes) || critical(goal.inodes, inodes);
  goal.why = goal.bytes > 0 ? "disk use " + std::to_string(bytes) + "% is at or above " +
                                  std::to_string(marks.high_percent) + "%"
                            : "inode use " + std::to_string(inodes) + "% is at or above " +
                                  std::to_string(marks.inodes.high_percent) + "%";
  return goal;
}

}  // namespace imagesweep
