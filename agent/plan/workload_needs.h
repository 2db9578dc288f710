#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "agent/model/image_index.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Does the policy keep what this reference names?  `keep` is enabled.
bool Counts(const KeepWorkloads& keep, const WorkloadReference& reference);

// Both of one Deployment, StatefulSet, …
bool OfOneWorkload(const WorkloadReference& a, const WorkloadReference& b);
// By kind, namespace and name.
bool BeforeWorkload(const WorkloadReference& a, const WorkloadReference& b);

// What one workload has to do with one image.
struct WorkloadNeed {
  // Position in Observation::workloads; of several the one that counts, then the latest revision.
  std::uint32_t reference = 0;
  int revisions_back = 0;  // of its latest revision with this image, whether that counts or not
  bool counts = false;     // keep.workloads keeps the image for it
};

// Which of the node's images the cluster's workloads name.  A reference means images as a pod's
// does: by the whole of its text.  Nobody is told of when keep.workloads is off.  Immutable.
class WorkloadNeeds {
 public:
  WorkloadNeeds() = default;
  // Fast when equal texts stand together, as in a sorted list.
  WorkloadNeeds(const KeepWorkloads& keep, const Observation& seen, const ImageIndex& index);

  // Each workload once, in the order of BeforeWorkload.
  std::span<const WorkloadNeed> of(std::uint32_t image) const {
    if (begin_.empty()) return {};
    return std::span(needs_).subspan(begin_[image], begin_[image + 1] - begin_[image]);
  }
  // Nobody needs any image.
  bool empty() const { return needs_.empty(); }
  // Does any of them count?
  bool wanted(std::uint32_t image) const;

 private:
  std::vector<WorkloadNeed> needs_;
  std::vector<std::uint32_t> begin_;  // of the image's needs; empty: nobody needs any
};

}  // namespace imagesweep
