#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/ports.h"
#include "agent/state/history.h"

namespace imagesweep {

// What came of restoring the names of interrupted removals.
struct RestoredNames {
  bool any = false;                   // names came back: what was read of the images is stale
  std::vector<std::string> warnings;  // what was restored, and what could not be
};

// Restores the names of images whose removal was interrupted, for example because the process was
// killed between the deletions of two names.  Without this, an image could keep only some of its
// names forever and look like one that cannot be pulled again.
//
// Covers the removals of the last 7 days in the history.  Leaves names that another image has now,
// and images that are still losing names, because another process is removing them.
//
// `restorer`: null if names cannot be restored.  `run`: the ID of the current run, whose own
// removals do not count.
RestoredNames RestoreInterrupted(History& history, RuntimeReader& runtime, NameRestorer* restorer,
                                 const Clock& clock, const std::string& run,
                                 const std::stop_token& stop);

}  // namespace imagesweep
