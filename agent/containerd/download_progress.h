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
  std::int64_t offset = 0;  // bytes that have come
  SystemTime updated_at;
};

// Tells downloads that make progress from those that a killed client left behind.  A time of the
// last progress that lies in the future (the clock was set back) says nothing; then a change of the
// offset between two lists does.
class DownloadProgress {
 public:
  // `patience`: without progress for as long a download is dead.
  DownloadProgress(Millis patience, const Clock& clock) : patience_(patience), clock_(clock) {}

  // The refs that make progress.  `listed`: all that there are.
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
