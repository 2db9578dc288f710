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

// Orders images by rollout if exactly one workload names all images that any workload names.  Its
// revisions then tell which image is newer, even if the tags tell otherwise: the images exchange
// the places that they hold, later revisions first, after those in use.  Other images keep their
// places, because a comparison of pairs by version and by rollout would not be a consistent order.
// Images of one revision share a place, so the order of the list has no effect.  Revisions of
// different workloads are not compared: if no workload, or more than one, names all of these
// images, nothing changes and the function returns false.
bool ReorderByRollout(const WorkloadNeeds& needs, const Observation& seen,
                      std::vector<RankedImage>& images);

}  // namespace imagesweep
