#pragma once

#include "agent/report/documents/agent_status.h"
#include "agent/server/web/view.h"

namespace imagesweep::web {

// The health of the agent.  The agent is unhealthy if its loop hangs, a check fails, the newest
// policy is rejected, no run has finished since the start, or the last run aborted or was
// incomplete.
AgentStatus AgentStatusOf(const StatusView& view);

}  // namespace imagesweep::web
