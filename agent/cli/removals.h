#pragma once

#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/cli/options.h"
#include "agent/model/run_entry.h"

namespace imagesweep {

// The recorded removals in the state directory, newest first.  Error: no state directory is set, it
// does not exist, it has no history, or it cannot be read.
Result<std::vector<RemovalEntry>> ReadRemovals(const Options& options, const Clock& clock);

}  // namespace imagesweep
