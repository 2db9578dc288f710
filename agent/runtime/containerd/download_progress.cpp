#include "agent/runtime/containerd/download_progress.h"

#include <algorithm>
#include <utility>

namespace imagesweep::containerd {
namespace {

// For a download whose time is not valid.
constexpr Millis kOffsetStands = std::chrono::seconds(10);

}  // namespace

std::vector<std::string> DownloadProgress::Alive(const std::vector<Download>& listed) {
  const SystemTime now = clock_.Now();
  const SteadyTime steady = clock_.Steady();
  std::map<std::string, Seen> seen;
  std::vector<std::string> alive;
  for (const Download& download : listed) {
    const auto known = seen_.find(download.ref);
    const bool same = known != seen_.end() && known->second.offset == download.offset;
    const SteadyTime since = same ? known->second.since : steady;
    seen.insert_or_assign(download.ref, Seen{download.offset, since});
    const bool lives = download.updated_at > now
                           ? steady - since < std::min(kOffsetStands, patience_)
                           : now - download.updated_at < patience_;
    if (lives) alive.push_back(download.ref);
  }
  seen_ = std::move(seen);
  return alive;
}

}  // namespace imagesweep::containerd
