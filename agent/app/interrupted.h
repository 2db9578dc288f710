#pragma once

#include <stop_token>

#include "agent/base/clock.h"
#include "agent/model/ports.h"
#include "agent/model/report.h"
#include "agent/state/history.h"

namespace imagesweep {

// Images that lost some of their names to a removal that did not end, as when the process was
// killed between two of them: they get back the names that the history says they had, whatever the
// policy makes of them next.  Without that an image could stay with a part of its names for ever,
// as one that cannot be pulled again.
//
// Removals of the last 7 days count.  A name that another image has by now is left to it.  What is
// still losing names is left alone: another process is at it.  What was done, or cannot be, becomes
// a warning of `report`.
//
// `restorer`: null where nothing can give names back.  True: names came back, so that what was read
// of the images is old.
bool GiveBackInterrupted(History& history, RuntimeReader& runtime, NameRestorer* restorer,
                         const Clock& clock, Report& report, const std::stop_token& stop);

}  // namespace imagesweep
