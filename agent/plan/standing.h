#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "agent/model/plan.h"
#include "agent/model/policy.h"
#include "agent/plan/workload_needs.h"

namespace imagesweep {

// Where one name of an image stands: which rule selects it, and its place among the names of its
// scheme (version.h) in its repository on this node, counted from 1 for the newest.
struct NameStanding {
  const ImageName* name = nullptr;  // null: the image has no name at all
  const Rule* rule = nullptr;       // the first that selects it; null: none
  bool tagged = false;
  bool repository_in_use = false;  // of a digest: an image that has no tag there is in use
  int place = 0;                   // 0: none, as for a signature
  bool shared = false;             // nobody can tell which of several at this place is the newer
  int kept = 0;                    // newest so many are retained or at least not superseded
  // Images in use: within the scheme, and in the repository without the scheme.
  int in_use_here = 0;
  int in_use_elsewhere = 0;
  const ImageName* ranked_as = nullptr;  // another tag of the image, where this one has no order
  // The newer one of the scheme that took its place; null: nothing shows that any is newer.
  const ImageName* replaced_by = nullptr;
  // A greater version of the scheme that no plan removes; null: none.
  const ImageName* newer_that_stays = nullptr;
  const Image* subject = nullptr;  // what this signature, attestation or SBOM is about, if here
  bool signature = false;

  bool removes() const { return rule != nullptr && rule->action == RuleAction::kRemove; }
  bool numbered() const { return rule != nullptr && rule->keep_last.has_value(); }
  // Rollback room: the newest of each scheme of a repository in use, or of what a rule with
  // keepLast selects.  Where a rule removes, all of the repository's images in use count among
  // them.
  bool retained() const {
    if (place == 0 || (!repository_in_use && !numbered())) return false;
    return place + (removes() && !numbered() ? in_use_elsewhere : 0) <= kept;
  }
};

// The standings of all names of all images.  Only names of one scheme are compared, and each scheme
// has its own newest.  Newest first means: in use before not; then by the rollouts of the one
// workload that names them (rollout.h); then by the version in the tag.  Commits, words and names
// by digest have no order but what this node saw first; that never counts against what cannot be
// pulled again.  Where nothing better is known, images share a place.  A tag without an order on an
// image that has one with an order goes by that.  Immutable.
class Standings {
 public:
  Standings() = default;
  // `in_use` is parallel to the images.  Holds pointers into policy and observation.
  Standings(const Policy& policy, const Observation& seen, const std::vector<bool>& in_use,
            const WorkloadNeeds& needs);

  std::span<const NameStanding> of(std::uint32_t image) const {
    return std::span(names_).subspan(begin_[image], begin_[image + 1] - begin_[image]);
  }

 private:
  void AddNames(const Policy& policy, const Observation& seen);

  std::vector<NameStanding> names_;
  std::vector<std::uint32_t> begin_;
};

}  // namespace imagesweep
