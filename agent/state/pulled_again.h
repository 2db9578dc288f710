#pragma once

#include <vector>

#include "agent/model/report.h"
#include "agent/model/run_entry.h"

namespace imagesweep {

// Images of `report` that runs before it removed within the last 7 days, and that are listed again:
// same id, so the same content.  In the order of the images.
//
// `removals` is the journal; entries of this very run are left aside.  `runs` are those kept before
// it, newest first.  A return is new to the first run that was not refused and sees it, so once per
// removal, across restarts of the agent too.  Nothing for a refused run.
std::vector<PulledAgain> FindPulledAgain(const std::vector<RemovalEntry>& removals,
                                         const std::vector<RunEntry>& runs, const Report& report);

}  // namespace imagesweep
