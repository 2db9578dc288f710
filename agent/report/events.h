#pragma once

#include <string>
#include <vector>

#include "agent/model/node_event.h"
#include "agent/model/report.h"

namespace imagesweep {

// The events that tell of the agent on its Node.  Pure.

// Of one run: what it removed, or would have; what failed; that it did not free enough.  A run that
// changed nothing has none.
std::vector<NodeEvent> EventsOf(const Report& report);

// `dry_run`: as the agent follows it, not only as the policy says.  `mode_changed`: one of the two
// was turned on or off, which is told at once.
NodeEvent PolicyLoadedEvent(const PolicySource& source, bool dry_run, bool suspended,
                            bool mode_changed);
// `problem`: all complaints, one a line; the first is told.  `keeps_last_good`: a policy stays in
// force.
NodeEvent PolicyInvalidEvent(const std::string& problem, bool keeps_last_good);
// `complaint`: since when it is not read, why, and what follows.
NodeEvent PolicyUnreadEvent(const std::string& complaint);
NodeEvent RuntimeUnreachableEvent(const std::string& problem);

}  // namespace imagesweep
