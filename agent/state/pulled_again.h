#pragma once

#include <vector>

#include "agent/model/report.h"
#include "agent/model/run_entry.h"

namespace imagesweep {

// Returns the images of `report` that earlier runs removed within the last 7 days and that are on
// the node again, with the same ID and so the same content.  In the order of the images.
//
// `removals` is the journal.  Entries of this run are ignored.  `runs` are the earlier runs, newest
// first.  The first run that was not aborted and sees the image reports its return as new: once per
// removal, also across restarts of the agent.  Empty for an aborted run.
std::vector<PulledAgain> FindPulledAgain(const std::vector<RemovalEntry>& removals,
                                         const std::vector<RunEntry>& runs, const Report& report);

}  // namespace imagesweep
