#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/gc/plan/workload_needs.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

// The rule that selects a name of an image, and the place of the name among the names of its scheme
// (version.h) in its repository on this node.  The newest has place 1.
struct TagRanking {
  const ImageName* name = nullptr;  // null: the image has no name
  const Rule* rule = nullptr;       // the first that selects it; null: none
  bool tagged = false;
  bool repository_in_use = false;  // for a digest: an image without a tag there is in use
  int rank = 0;                    // 0: none, for example for a signature
  bool shared = false;             // several have this place: it is unknown which is newer
  // keepLast of the rule, otherwise keep.lastPerRepository.  A name within this number of places is
  // not superseded.
  int kept = 0;
  // Images in use: within the scheme, and in the repository without the scheme.
  int in_use_here = 0;
  int in_use_elsewhere = 0;
  const ImageName* ranked_as = nullptr;  // another tag of the image, if this one has no order
  // A newer one of the scheme that replaces it; null: none is known to be newer.
  const ImageName* replaced_by = nullptr;
  // A greater version of the scheme that no plan removes; null: none.
  const ImageName* newer_that_stays = nullptr;
  const Image* subject = nullptr;  // the image on this node that this signature or SBOM belongs to
  bool signature = false;

  bool removes() const { return rule != nullptr && rule->action == RuleAction::kRemove; }
  bool numbered() const { return rule != nullptr && rule->keep_last.has_value(); }
  // True if the name is kept for rollback: its place is within `kept`, and a rule with keepLast
  // selects it or the repository is in use.  If a rule without keepLast removes the name, images in
  // use of other schemes take places before it.
  bool retained() const {
    if (rank == 0 || (!repository_in_use && !numbered())) return false;
    return rank + (removes() && !numbered() ? in_use_elsewhere : 0) <= kept;
  }
};

// The rankings of all names of all images.  Only names of one scheme are compared, and each scheme
// has its own newest.  The order is: images in use first, then by the rollouts of the one workload
// that names them (rollout.h), then by the version in the tag.  Commits, words and names by digest
// are ordered by first seen, but this never counts against an image that cannot be pulled again.
// Images share a place if it is unknown which is newer.  A tag without an order takes the place of
// another tag of the image that has an order.  Immutable.
class TagRankings {
 public:
  TagRankings() = default;
  // `in_use` is parallel to the images.  Holds pointers into policy and observation.
  TagRankings(const Policy& policy, const Observation& seen, const ByImage<bool>& in_use,
              const WorkloadNeeds& needs);

  std::span<const TagRanking> of(ImagePos image) const {
    const std::size_t begin = begin_[image.value()];
    return std::span(names_).subspan(begin, begin_[image.value() + 1] - begin);
  }

 private:
  void AddNames(const Policy& policy, const Observation& seen);

  std::vector<TagRanking> names_;
  std::vector<std::uint32_t> begin_;
};

// "3rd newest of docker.io/library/api in scheme v<number>; the newest 2 are kept".  Only for a
// name that has a place.  `kept`: the number of names that are kept.
std::string RankText(const TagRanking& ranking, int kept);

}  // namespace imagesweep
