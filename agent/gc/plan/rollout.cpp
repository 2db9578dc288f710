#include "agent/gc/plan/rollout.h"

#include <algorithm>
#include <span>

namespace imagesweep {
namespace {

struct Named {
  RankedImage* ranked;
  int revisions_back;
};

// The need of that workload.  Null: the workload does not name the image.
const WorkloadNeed* NeedOf(const WorkloadReference& workload, std::span<const WorkloadNeed> needs,
                           const Observation& seen) {
  const auto its = std::ranges::partition_point(needs, [&](const WorkloadNeed& need) {
    return BeforeWorkload(seen.workloads[need.reference], workload);
  });
  return its != needs.end() && OfOneWorkload(seen.workloads[its->reference], workload) ? &*its
                                                                                       : nullptr;
}

// The only workload that names each of them.  Null: there is none, or there are several.
const WorkloadReference* OnlyWorkload(const std::vector<Named>& named, const WorkloadNeeds& needs,
                                      const Observation& seen) {
  const auto fewest = std::ranges::min_element(
      named, {}, [&](const Named& one) { return needs.of(one.ranked->image).size(); });
  const WorkloadReference* only = nullptr;
  for (const WorkloadNeed& need : needs.of(fewest->ranked->image)) {
    const WorkloadReference& workload = seen.workloads[need.reference];
    if (!std::ranges::all_of(named, [&](const Named& one) {
          return NeedOf(workload, needs.of(one.ranked->image), seen) != nullptr;
        }))
      continue;
    if (only != nullptr) return nullptr;
    only = &workload;
  }
  return only;
}

}  // namespace

bool ReorderByRollout(const WorkloadNeeds& needs, const Observation& seen,
                      std::vector<RankedImage>& images) {
  std::vector<Named> named;
  for (RankedImage& image : images)
    if (!needs.of(image.image).empty()) named.push_back({&image, 0});
  if (named.size() < 2) return false;
  const WorkloadReference* const workload = OnlyWorkload(named, needs, seen);
  if (workload == nullptr) return false;
  std::vector<int> ranks;
  ranks.reserve(named.size());
  for (Named& one : named) {
    one.revisions_back = NeedOf(*workload, needs.of(one.ranked->image), seen)->revisions_back;
    ranks.push_back(one.ranked->rank);
  }
  std::ranges::sort(ranks);
  const auto newer = [](const Named& a, const Named& b) {
    if (a.ranked->in_use != b.ranked->in_use) return a.ranked->in_use;
    return a.revisions_back < b.revisions_back;
  };
  std::ranges::sort(named, newer);
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (i > 0 && !newer(named[i - 1], named[i])) {  // equally new
      named[i].ranked->rank = named[i - 1].ranked->rank;
      continue;
    }
    // Where several share a place, later revisions come first.
    const auto first = std::ranges::lower_bound(ranks, ranks[i]);
    named[i].ranked->rank =
        ranks[i] + static_cast<int>(i) - static_cast<int>(first - ranks.begin());
  }
  return true;
}

}  // namespace imagesweep
