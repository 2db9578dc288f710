#include "agent/state/pulled_again.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace imagesweep {
namespace {

constexpr auto kWithin = std::chrono::hours(7 * 24);

struct Removed {
  const RemovalEntry* last = nullptr;
  int times = 0;
};

}  // namespace

std::vector<PulledAgain> FindPulledAgain(const std::vector<RemovalEntry>& removals,
                                         const std::vector<RunEntry>& runs, const Report& report) {
  if (report.refused) return {};
  std::map<std::string_view, Removed> by_id;
  for (const RemovalEntry& removal : removals) {
    if (!removal.done || removal.code == kUntagCode || removal.run == report.run ||
        removal.at > report.started || report.started - removal.at > kWithin)
      continue;
    Removed& removed = by_id[removal.id];
    if (removed.last == nullptr || removal.at > removed.last->at) removed.last = &removal;
    ++removed.times;
  }
  // The last run before this one that could see returned images.
  const auto before = std::ranges::find_if(
      runs, [&](const RunEntry& run) { return run.run != report.run && run.result != "error"; });
  std::vector<PulledAgain> found;
  const Observation& seen = report.observation;
  for (std::uint32_t at = 0; at < seen.images.size(); ++at) {
    const auto removed = by_id.find(seen.images[at].id.text());
    if (removed == by_id.end()) continue;
    const RemovalEntry& last = *removed->second.last;
    bool first_to_see = seen.ages[at].just_seen;
    // An image that returned before an observation without it was never new to the ledger.
    if (before != runs.end())
      first_to_see = last.run == before->run || last.at >= before->finished ||
                     seen.ages[at].first_seen > before->finished;
    found.push_back({at, removed->second.times, last.code, first_to_see});
  }
  return found;
}

}  // namespace imagesweep
