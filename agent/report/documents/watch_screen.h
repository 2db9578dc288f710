#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "agent/model/report.h"

namespace imagesweep {

// The content of `imagesweep watch`.
struct WatchView {
  const Report& report;                    // of the last observation
  const std::vector<std::string>& events;  // lines, oldest first
  std::string runs;                        // the agent's runs in one line; empty: not known
};

// The node, its disk with the policy's thresholds, images by state, and as many of the newest
// events as fit.  `width` and `height` are in characters; longer lines are cut.  Pure.
std::string WatchScreen(const WatchView& view, std::size_t width, std::size_t height);

}  // namespace imagesweep
