#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "agent/model/plan.h"
#include "agent/model/policy.h"
#include "agent/plan/workload_needs.h"

namespace imagesweep {

// Where one name of an image stands: which rule selects it, and its place among the versions of its
// repository on this node, counted from 1 for the newest.
struct NameStanding {
  const ImageName* name = nullptr;  // null: the image has no name at all
  const Rule* rule = nullptr;       // the first that selects it; null: none
  bool tagged = false;
  bool repository_in_use = false;
  int place = 0;                      // 0: none, as for a digest where tags are used
  int kept = 0;                       // newest so many are retained or at least not superseded
  const ImageName* newest = nullptr;  // who is first there

  // Rollback room: the newest of a repository in use, or of what a rule with keepLast selects.
  bool retained() const {
    const bool counts = repository_in_use || (rule != nullptr && rule->keep_last.has_value());
    return counts && place > 0 && place <= kept;
  }
};

// The standings of all names of all images.  Newest first means: in use before not; then by the
// rollouts of the one workload that names them (rollout.h); then by the version in the tag, where
// the tags of the repository tell versions of one kind; then what this node saw last.  Never the
// name: where nothing better is known, images share a place.  Tags that tell no version are ranked
// apart from those that do.  Names by digest have a place in a repository without tags.  Immutable.
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
