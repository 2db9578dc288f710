#pragma once

#include <stop_token>

#include "agent/base/clock.h"
#include "agent/model/ports.h"
#include "agent/model/report.h"
#include "agent/state/history.h"

namespace imagesweep {

// Restores the names of images whose removal was interrupted, for example because the process was
// killed between the deletions of two names.  Without this, an image could keep only some of its
// names forever and look like one that cannot be pulled again.
//
// Covers the removals of the last 7 days in the history.  Leaves names that another image has now,
// and images that are still losing names, because another process is removing them.  Adds a warning
// to `report` for each image.
//
// `restorer`: null if names cannot be restored.  Returns true if names were restored, so the list
// of images that was read before is outdated.
bool RestoreInterrupted(History& history, RuntimeReader& runtime, NameRestorer* restorer,
                        const Clock& clock, Report& report, const std::stop_token& stop);

}  // namespace imagesweep
