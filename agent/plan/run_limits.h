#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "agent/plan/scene.h"

namespace imagesweep {

// The part of the policy's limits that is left for this run.
class RunLimits {
 public:
  explicit RunLimits(const Scene& scene);

  // Why the limits do not allow another image of this size, as a clause: "this run has reached
  // limits.maxImages 50".  Empty: they allow it.
  std::string WhyNot(std::uint64_t bytes) const;
  void Take(std::uint64_t bytes);

 private:
  const Limits& limits_;
  const std::size_t all_;
  const std::size_t percent_cap_;
  std::size_t images_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace imagesweep
