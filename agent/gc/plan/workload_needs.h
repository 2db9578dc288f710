#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/model/image_index.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

// True if the policy keeps the image that this reference names.  `keep` must be enabled.
bool Counts(const KeepWorkloads& keep, const WorkloadReference& reference);

// True if both belong to one Deployment, StatefulSet, …
bool OfOneWorkload(const WorkloadReference& a, const WorkloadReference& b);
// By kind, namespace and name.
bool BeforeWorkload(const WorkloadReference& a, const WorkloadReference& b);

// The need of one workload for one image.
struct WorkloadNeed {
  // Position in Observation::workloads.  Of several, the one that counts, then the latest revision.
  std::uint32_t reference = 0;
  int revisions_back = 0;  // of its latest revision with this image, even if that does not count
  bool counts = false;     // keep.workloads keeps the image for it
};

// The node's images that the cluster's workloads name or may use.  The text of a template names an
// image as the text of a pod does, by ImageIndex, and may lead to others by TemplateImages.  Empty
// if keep.workloads is disabled.  Immutable.
class WorkloadNeeds {
 public:
  WorkloadNeeds() = default;
  // Fast if equal texts are adjacent, as in a sorted list.
  WorkloadNeeds(const KeepWorkloads& keep, const Observation& seen, const ImageIndex& index);

  // The workloads that name the image, each once, in the order of BeforeWorkload.
  std::span<const WorkloadNeed> of(ImagePos image) const {
    if (begin_.empty()) return {};
    const std::size_t begin = begin_[image.value()];
    return std::span(needs_).subspan(begin, begin_[image.value() + 1] - begin);
  }
  // True if no workload names any image.
  bool empty() const { return needs_.empty(); }
  // True if any workload that names the image counts.
  bool named(ImagePos image) const;

  // A workload whose name for its image may lead to this one (TemplateImages), which protects the
  // image, but tells nothing about its repository or its version.  Of several, one that counts,
  // then the latest revision.  Null: there is none.
  const WorkloadNeed* PossibleNeed(ImagePos image) const;
  // True if a need or a possible need for the image counts.
  bool wanted(ImagePos image) const;

 private:
  void AddNeeds(const KeepWorkloads& keep, const Observation& seen, const ImageIndex& index);
  void AddPossibleNeeds(const KeepWorkloads& keep, const Observation& seen);

  std::vector<WorkloadNeed> needs_;
  std::vector<std::uint32_t> begin_;               // of each image's needs; empty: there are none
  ByImage<std::optional<WorkloadNeed>> possible_;  // empty: there are none
};

}  // namespace imagesweep
