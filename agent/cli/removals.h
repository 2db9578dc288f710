#pragma once

#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/cli/options.h"
#include "agent/model/run_entry.h"

namespace imagesweep {

// The removals that are remembered in the state directory, newest first.  An error names what is
// wrong with it: none is named, it is not there, it remembers nothing, or it cannot be read.
Result<std::vector<RemovalEntry>> ReadRemovals(const Options& options, const Clock& clock);

}  // namespace imagesweep
