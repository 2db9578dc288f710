#pragma once

#include <cstdint>
#include <vector>

#include "agent/gc/plan/workload_needs.h"
#include "agent/model/plan.h"

namespace imagesweep {

// An image of a repository with the place that its version gives it.
struct RankedImage {
  ImagePos image;
  bool in_use = false;
  const ImageName* name = nullptr;
  int rank = 0;
  std::uint32_t newness = 0;  // by its version or by first seen
};

// Orders the images that workloads name by rollout, if exactly one workload names all of them.  Its
// revisions tell which image is newer, even if the tags tell otherwise:
//   - The named images exchange their places: images in use first, then later revisions.
//   - Images of one revision share a place, so the order of the list has no effect.
//   - Other images keep their places.  An order in which some pairs are compared by version and
//     others by rollout would not be consistent.
// Otherwise returns false and changes nothing, because revisions of different workloads cannot be
// compared.  The same for fewer than two named images.
bool ReorderByRollout(const WorkloadNeeds& needs, const Observation& seen,
                      std::vector<RankedImage>& images);

}  // namespace imagesweep
