#pragma once

#include <cstdint>
#include <vector>

#include "agent/plan/gains.h"
#include "agent/plan/run_limits.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// The selected images in their order, while more are selected for space.  Counts the space that the
// images of this run free, and the space that all free.  The two differ by the images that are
// unavailable or over the limits of the run: they free nothing in this run, so others replace them.
class Selection {
 public:
  explicit Selection(const Scene& scene)
      : limits_(scene), scene_(scene), now_(scene), all_(scene) {}

  // True if this run can remove the image when it is selected next.
  bool Fits(std::uint32_t at) const;
  // The same for all of them together.
  bool Fit(const std::vector<std::uint32_t>& images) const;
  void Add(std::uint32_t at);

  // The space that the images of this run free, and that all free.
  Gains& now() { return now_; }
  const Gains& all() const { return all_; }

  // From images that each free too little, returns a few that fit and together free enough.  Empty:
  // there are none.
  std::vector<std::uint32_t> EnoughTogether(std::vector<std::uint32_t> images, const Space& goal);

 private:
  RunLimits limits_;
  const Scene& scene_;
  Gains now_;
  Gains all_;
};

}  // namespace imagesweep
