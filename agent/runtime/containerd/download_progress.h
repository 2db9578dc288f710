#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/base/clock.h"

namespace imagesweep::containerd {

// One ingestion of containerd's content store (Content.ListStatuses).
struct Download {
  std::string ref;
  std::int64_t offset = 0;  // bytes received
  SystemTime updated_at;
};

// Tells downloads that make progress from those that a killed client left behind. If the time of
// the last progress is in the future (the clock was set back), it is ignored, and a change of the
// offset between two lists counts instead.
class DownloadProgress {
 public:
  // `patience`: a download without progress for this time is dead.
  DownloadProgress(Millis patience, const Clock& clock) : patience_(patience), clock_(clock) {}

  // The refs that make progress. `listed` must contain all downloads.
  std::vector<std::string> Alive(const std::vector<Download>& listed);

 private:
  struct Seen {
    std::int64_t offset = 0;
    SteadyTime since;  // when the offset was first seen
  };
  const Millis patience_;
  const Clock& clock_;
  std::map<std::string, Seen> seen_;
};

}  // namespace imagesweep::containerd
