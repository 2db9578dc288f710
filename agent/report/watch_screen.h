#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "agent/model/report.h"

namespace imagesweep {

// What the live view shows.
struct WatchView {
  const Report& report;                    // of the last look
  const std::vector<std::string>& events;  // lines, oldest first
  std::string runs;                        // of the agent's runs, one line; empty: not known
};

// The node, its disk with the policy's marks, images by what becomes of them, and as many of the
// newest events as fit.  `width` and `height` in characters; no line is longer.  Pure.
std::string WatchScreen(const WatchView& view, std::size_t width, std::size_t height);

}  // namespace imagesweep
