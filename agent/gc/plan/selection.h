#pragma once

#include <vector>

#include "agent/gc/plan/plan_context.h"
#include "agent/gc/plan/reclaim_estimator.h"
#include "agent/gc/plan/run_limits.h"

namespace imagesweep {

// The selected images in their order, while more are selected for space.  now() counts the space of
// the images that this run can remove.  all() also counts images that are unavailable or over a
// limit of the run.  These free nothing in this run, so others replace them.  One thread.
class Selection {
 public:
  explicit Selection(const PlanContext& context)
      : limits_(context), context_(context), now_(context), all_(context) {}

  // True if this run can remove the image when it is selected next.
  bool Fits(ImagePos at) const;
  // The same for all of them together.
  bool Fit(const std::vector<ImagePos>& images) const;
  void Add(ImagePos at);

  ReclaimEstimator& now() { return now_; }
  const ReclaimEstimator& all() const { return all_; }

  // From images that each free too little, returns a few that fit and together free enough.  Empty:
  // there are none.
  std::vector<ImagePos> EnoughTogether(std::vector<ImagePos> images, const DiskSpace& goal);

 private:
  RunLimits limits_;
  const PlanContext& context_;
  ReclaimEstimator now_;
  ReclaimEstimator all_;
};

}  // namespace imagesweep
