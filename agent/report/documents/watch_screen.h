#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/report.h"
#include "agent/report/documents/agent_status.h"
#include "agent/report/documents/watch_controls.h"

namespace imagesweep {

// The content of `imagesweep watch`.
struct WatchView {
  const Report& report;                        // of the last observation
  const std::vector<std::string>& events;      // lines, oldest first
  std::string runs;                            // the agent's runs in one line; empty: not known
  std::string next_run = {};                   // the agent's next run; empty: not known
  std::optional<WatchControls> controls = {};  // empty: the command reads no keys
};

// The node, its disk with the policy's thresholds, the number of images by state, and as many
// images and newest events as fit.  If the command reads keys, the last line is about them.
// `height` lines of at most `width` columns, without a newline after the last.  Pure.
std::string WatchScreen(const WatchView& view, std::size_t width, std::size_t height);

// "in 12m (dry run)".  Empty: the agent does not tell it, or no run is scheduled.
std::string NextRunText(const AgentStatus& status, SystemTime now);

}  // namespace imagesweep
