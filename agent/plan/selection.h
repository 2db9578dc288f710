#pragma once

#include <cstdint>
#include <vector>

#include "agent/plan/gains.h"
#include "agent/plan/run_limits.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// The images that are to go, in their order, while more are selected for space: what those free
// that go in this run, and what all would.  Those differ by the images that are unavailable or that
// the limits of a run leave no place for: what stays frees nothing, so others go in its place.
class Selection {
 public:
  explicit Selection(const Scene& scene)
      : limits_(scene), scene_(scene), now_(scene), all_(scene) {}

  // Whether it goes in this run if it is selected next.
  bool Fits(std::uint32_t at) const;
  // The same of all of them together.
  bool Fit(const std::vector<std::uint32_t>& images) const;
  void Add(std::uint32_t at);

  // Of the images that go in this run, and of all.
  Gains& now() { return now_; }
  const Gains& all() const { return all_; }

  // Of images that free too little each: a few that free enough together, and that fit; empty:
  // there are none.
  std::vector<std::uint32_t> EnoughTogether(std::vector<std::uint32_t> images, const Space& goal);

 private:
  RunLimits limits_;
  const Scene& scene_;
  Gains now_;
  Gains all_;
};

}  // namespace imagesweep
