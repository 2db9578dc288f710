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

std::optional<std::uint64_t> BytesToFree(const Scene& scene) {
  const DiskThresholds& marks = scene.policy().disk;
  const auto& disk = scene.seen().disk;
  if (!disk || marks.high_percent == 0 || disk->capacity_bytes == 0) return std::nullopt;
  if (disk->used_percent() < marks.high_percent) return std::nullopt;
  const auto wanted = static_cast<std::uint64_t>(static_cast<double>(disk->capacity_bytes) *
                                                 (100 - marks.low_percent) / 100);
  if (wanted <= disk->available_bytes) return std::nullopt;
  return wanted - disk->available_bytes;
}

}  // namespace imagesweep
