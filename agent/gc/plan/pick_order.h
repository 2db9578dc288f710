#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "agent/gc/plan/plan_context.h"
#include "agent/gc/plan/reclaim_estimator.h"

namespace imagesweep {

// The order in which images are selected for space: least recently used first.  Of images that are
// unused for the same time, the one that frees most after the earlier removals comes first, then
// the larger one, then by name.  The caller adds a selected image to the ReclaimEstimator before it
// calls Next() again.
//
// Many images may be unused for the same time.  They are sorted once by the space that each frees,
// when the first of them is due.  Each call computes that space again only for the next 16 of them,
// because a plan must not take seconds.
class PickOrder {
 public:
  // `goal`: the space to free.  Inodes count if no bytes are needed.
  PickOrder(const PlanContext& context, ReclaimEstimator& reclaim, const DiskSpace& goal,
            std::vector<ImagePos> images);

  // Empty: no images are left.
  std::optional<ImagePos> Next();

 private:
  bool Equals(ImagePos one, ImagePos other) const;
  std::uint64_t Frees(ImagePos at);
  void BeginEquals();

  const PlanContext& context_;
  ReclaimEstimator& reclaim_;
  const bool by_inodes_;
  std::vector<ImagePos> images_;
  std::size_t next_ = 0;
  std::size_t end_of_equals_ = 0;
};

}  // namespace imagesweep
