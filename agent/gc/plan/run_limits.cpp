#include "agent/gc/plan/run_limits.h"

#include <algorithm>

#include "agent/base/quantity.h"

namespace imagesweep {

RunLimits::RunLimits(const PlanContext& context)
    : limits_(context.policy().limits),
      all_(context.seen().images.size()),
      percent_cap_(all_ * static_cast<std::size_t>(limits_.max_percent_of_images) / 100) {}

std::string RunLimits::WhyNot(std::uint64_t bytes) const {
  if (images_ >= static_cast<std::size_t>(limits_.max_images))
    return "this run has reached limits.maxImages " + std::to_string(limits_.max_images);
  if (images_ >= percent_cap_)
    return "this run has reached limits.maxPercentOfImages " +
           std::to_string(limits_.max_percent_of_images) + "% of " + std::to_string(all_);
  if (limits_.max_bytes == 0 || bytes <= limits_.max_bytes - bytes_) return {};
  if (bytes > limits_.max_bytes)
    return "its size " + HumanBytes(bytes) + " is more than limits.maxBytes " +
           HumanBytes(limits_.max_bytes) + " allows in one run";
  return "this run has reached limits.maxBytes " + HumanBytes(limits_.max_bytes);
}

void RunLimits::Take(std::uint64_t bytes) {
  ++images_;
  bytes_ += bytes;
}

std::vector<Oversized> FindOversized(const Policy& policy, const Observation& seen) {
  std::vector<Oversized> found;
  for (const ImagePos at : Positions(seen.images)) {
    const Image& image = seen.images[at];
    const auto limit = std::ranges::find_if(
        policy.size_limits, [&](const SizeLimit& its) { return its.images.Matches(image); });
    if (limit != policy.size_limits.end() && image.size_bytes > limit->max_size)
      found.push_back({at, limit->max_size});
  }
  return found;
}

}  // namespace imagesweep
