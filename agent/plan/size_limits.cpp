#include "agent/plan/size_limits.h"

#include <algorithm>

namespace imagesweep {

std::vector<Oversized> FindOversized(const Policy& policy, const Observation& seen) {
  std::vector<Oversized> found;
  for (std::uint32_t at = 0; at < seen.images.size() && !policy.size_limits.empty(); ++at) {
    const Image& image = seen.images[at];
    const auto limit = std::ranges::find_if(
        policy.size_limits, [&](const SizeLimit& its) { return its.images.Matches(image); });
    if (limit != policy.size_limits.end() && image.size_bytes > limit->max_size)
      found.push_back({at, limit->max_size});
  }
  return found;
}

}  // namespace imagesweep
