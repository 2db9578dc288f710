#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/gc/plan/order.h"
#include "agent/gc/plan/plan_context.h"
#include "agent/imagestore/graph/incremental_reclaim.h"

namespace imagesweep {

// Adds up the space that removals free, one after the other: by the layers where they are known,
// else by the runtime's sizes, which ignore sharing.  The number of inodes of an image is unknown
// in the second case.  The class then assumes its share of all used inodes, which is too high, so
// that the plan removes too few images rather than too many.  One thread.
class ReclaimEstimator {
 public:
  explicit ReclaimEstimator(const PlanContext& context);

  void Add(ImagePos at);
  // The space that the removal of this image adds to the total.  Empty: unknown, because the layers
  // are.
  std::optional<DiskSpace> Next(ImagePos at);
  // True if the image is known to free less than 1 MiB now, and few inodes where inodes are short.
  // Layers that it shares with images that stay are not freed.
  bool TooLittle(ImagePos at, const DiskSpace& goal);
  // From images that each free too little, returns a few that together free enough, in their order.
  // Empty: there are none.
  std::vector<ImagePos> EnoughTogether(const std::vector<ImagePos>& images, const DiskSpace& goal);

  bool Reached(const DiskSpace& goal) const;
  std::string Of(const DiskSpace& goal) const;  // "1.2 GiB of 3 GiB"

 private:
  bool Knows(ImagePos at) const;
  std::uint64_t Inodes() const;

  const PlanContext& context_;
  std::optional<layers::IncrementalReclaim> incremental_;
  std::vector<ImagePos> added_;
  std::uint64_t all_bytes_ = 0;
  DiskSpace total_;  // inodes: only of images whose layers are known
  std::uint64_t bytes_by_size_ = 0;
};

// Sets Decision::frees of each removal, in the order of the plan, where the layers are known.
void PredictInOrder(const PlanContext& context, Plan& plan);

}  // namespace imagesweep
