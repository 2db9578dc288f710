#include "agent/plan/run_limits.h"

#include "agent/base/quantity.h"

namespace imagesweep {

RunLimits::RunLimits(const Scene& scene)
    : limits_(scene.policy().limits),
      all_(scene.seen().images.size()),
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

}  // namespace imagesweep
