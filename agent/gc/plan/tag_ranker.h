#pragma once

#include <cstdint>
#include <vector>

#include "agent/base/clock.h"
#include "agent/gc/plan/rollout.h"
#include "agent/gc/plan/tag_ranking.h"
#include "agent/gc/plan/version.h"
#include "agent/gc/plan/workload_needs.h"
#include "agent/model/plan.h"

namespace imagesweep {

// One name among others of its repository.
struct RankedName {
  ImagePos image;             // position in Observation::images
  std::uint32_t ranking = 0;  // position in the list of all rankings
  TagVersion version = {};
  std::uint32_t newness = 0;  // within one scheme; equal: it is unknown which is newer
};

// Ranks the names of one repository within each scheme, and writes their rankings.  It reuses its
// memory from one repository to the next.
class TagRanker {
 public:
  // `in_use` is parallel to the images; `stays`: images that no plan removes.
  TagRanker(const Observation& seen, const WorkloadNeeds& needs, const ByImage<bool>& in_use,
            const ByImage<bool>& stays, std::vector<TagRanking>& names);

  // Tags of one repository.  Changes the order of `group`.
  void RankTags(std::vector<RankedName>& group);
  // Names by digest of one repository, ordered by first seen, because nothing else orders them.
  void RankDigests(std::vector<RankedName>& group);

 private:
  using Group = std::vector<RankedName*>;
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  struct Newest {
    const RankedName* any = nullptr;
    const RankedName* in_use = nullptr;
    const RankedName* that_stays = nullptr;
  };
  // The newest of the names, or of those that may replace `older`.
  Newest NewestOf(const Group& names, const RankedName* older) const;
  // The place of a name among those that may replace it: the only ones that count against it.
  int RankAmongSuccessors(const Group& names, const RankedName& name, const RankedImage& its) const;
  void RankScheme(Group& group);
  void OrderByVersion(Group& group);
  void OrderByFirstSeen(Group& group);
  void AssignRanks(Group& group, bool only_prereleases);
  void AssignRanksToAliases(std::vector<RankedName>& group);

  const Observation& seen_;
  const WorkloadNeeds& needs_;
  const ByImage<bool>& in_use_;
  const ByImage<bool>& stays_;
  std::vector<TagRanking>& names_;
  bool clock_jumped_;  // an image was first seen in the future
  // For each image, the position of its best name in the group.  kNone outside of AssignRanks().
  ByImage<std::uint32_t> first_of_;
};

}  // namespace imagesweep
