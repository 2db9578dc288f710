#pragma once

#include "agent/report/agent_status.h"
#include "agent/web/view.h"

namespace imagesweep::web {

// How the agent is.  It is not well when its loop hangs, a check fails, the newest policy is
// rejected, no run has finished since it started, or its last run was refused or incomplete.
AgentStatus AgentStatusOf(const StatusView& view);

}  // namespace imagesweep::web
