#pragma once

#include <cstdint>
#include <vector>

#include "agent/model/plan.h"
#include "agent/plan/workload_needs.h"

namespace imagesweep {

// An image among others of its repository, with the place that its version gives it.
struct RankedImage {
  std::uint32_t image = 0;
  bool in_use = false;
  const ImageName* name = nullptr;
  int place = 0;
  std::uint32_t newness = 0;  // by its version or by what the node saw first
};

// Where one workload names all of those that any workload names, its rollouts tell which of them is
// newer, whatever their tags say: they share out anew the places that they hold, later revisions
// first, behind those in use.  Nobody else's place changes, so that what no workload names is
// compared with what one names by version alone: an order of pairs by both would not be one.  Those
// of one revision share a place, and so the list's order decides nothing.  Revisions of different
// workloads are not compared: where none, or more than one, names all of them, nothing changes
// and the answer is false.
bool DealPlacesByRollout(const WorkloadNeeds& needs, const Observation& seen,
                         std::vector<RankedImage>& images);

}  // namespace imagesweep
