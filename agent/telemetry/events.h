#pragma once

#include <string>
#include <vector>

#include "agent/model/node_event.h"
#include "agent/model/report.h"

namespace imagesweep {

// The events of the agent on its Node.  Pure.

// The events of one run: removals or, in a dry run, planned removals; failures; not enough space
// freed.  Empty if the run changed nothing.
std::vector<NodeEvent> EventsOf(const Report& report);

// `dry_run`: in force for the agent, which may differ from the policy.  `mode_changed`: dryRun or
// suspend was turned on or off, so the event is written at once.  `awaits_labels`: overrides may
// change both, and the labels that select one are not read yet.
NodeEvent PolicyLoadedEvent(const PolicySource& source, bool dry_run, bool suspended,
                            bool mode_changed, bool awaits_labels = false);
// `problem`: all errors, one per line; the event shows the first.  `keeps_last_good`: a policy
// stays in force.
NodeEvent PolicyInvalidEvent(const std::string& problem, bool keeps_last_good);
// `complaint`: the time since the last read, the reason, and the consequence.
NodeEvent PolicyUnreadEvent(const std::string& complaint);
NodeEvent RuntimeUnreachableEvent(const std::string& problem);

}  // namespace imagesweep
