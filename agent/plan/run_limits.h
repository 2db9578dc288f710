#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "agent/plan/scene.h"

namespace imagesweep {

// What the policy's limits leave for one run, while images are taken one after the other.
class RunLimits {
 public:
  explicit RunLimits(const Scene& scene);

  // Why an image of this size cannot be taken as well, as a clause: "this run is at
  // limits.maxImages 50".  Empty: it can.
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
