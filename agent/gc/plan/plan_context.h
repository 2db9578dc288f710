#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/gc/plan/tag_ranking.h"
#include "agent/gc/plan/workload_needs.h"
#include "agent/model/image_index.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

namespace layers {
class LayerGraph;
}

// A policy and an observation, with the answers that many questions need: the users of each image,
// the pause image, and the repositories with a tagged image.  Holds references to all arguments,
// which must outlive it.  Immutable.
class PlanContext {
 public:
  // `graph`: the layers of the observation's images.  Null: unknown.
  PlanContext(const Policy& policy, const Observation& seen,
              const layers::LayerGraph* graph = nullptr);

  const Policy& policy() const { return policy_; }
  const Observation& seen() const { return seen_; }
  const layers::LayerGraph* graph() const { return graph_; }
  const Image& image(ImagePos at) const { return seen_.images[at]; }
  const ImageAge& age(ImagePos at) const { return seen_.ages[at]; }

  // The users of the image: positions in seen().references, each user once, in their order.
  std::span<const std::uint32_t> UsedBy(ImagePos at) const {
    const std::size_t begin = users_begin_[at.value()];
    return std::span(users_).subspan(begin, users_begin_[at.value() + 1] - begin);
  }
  // The workloads that name the image, including those that do not count.
  std::span<const WorkloadNeed> NeededBy(ImagePos at) const { return needs_.of(at); }
  // A workload that may use the image, although it names another.  Null: none is known.
  const WorkloadNeed* PossibleNeed(ImagePos at) const { return needs_.PossibleNeed(at); }
  bool wanted(ImagePos at) const { return needs_.wanted(at); }
  bool in_use(ImagePos at) const { return !UsedBy(at).empty(); }
  bool is_sandbox(ImagePos at) const { return sandbox_[at]; }
  bool is_self(ImagePos at) const { return self_[at]; }
  // The rule and the rank of each of the image's names.
  std::span<const TagRanking> names(ImagePos at) const { return rankings_.of(at); }

  // For an image without a tag: a tag of another image in one of its repositories.  Of several, the
  // one that was first seen last, because it most likely replaced the image.  Empty: there is none.
  std::string_view TaggedSibling(ImagePos at) const;

 private:
  void FindUsers(const ImageIndex& index);
  void FindNewestTags();

  const Policy& policy_;
  const Observation& seen_;
  const layers::LayerGraph* const graph_;
  // Users of image i: users_[users_begin_[i]] up to users_[users_begin_[i + 1]].
  std::vector<std::uint32_t> users_begin_;
  std::vector<std::uint32_t> users_;
  ByImage<bool> sandbox_;
  ByImage<bool> self_;
  WorkloadNeeds needs_;
  TagRankings rankings_;
  struct Newest {
    ImagePos image;
    const ImageName* tag = nullptr;  // null: none yet
  };
  // Repositories of the images without a tag, and the newest tag in each.
  std::unordered_map<std::string_view, Newest> newest_tag_;
};

// For each image, whether any of the references refers to it.
ByImage<bool> ReferencedImages(const ImageIndex& index, std::size_t images,
                               const std::vector<ImageReference>& references);

}  // namespace imagesweep
