#pragma once

#include "agent/base/clock.h"

namespace imagesweep {

// Tells a short outage, such as a restart, from one to report.  Reports each outage once.  One
// thread.
class Outage {
 public:
  explicit Outage(Millis report_after) : report_after_(report_after) {}

  // Records the current state.  True if the outage is longer than `report_after` and not yet
  // reported.
  bool Note(bool away, SteadyTime now) {
    if (away && !away_) since_ = now;
    if (!away) reported_ = false;
    away_ = away;
    if (!away_ || reported_ || now - since_ < report_after_) return false;
    reported_ = true;
    return true;
  }

 private:
  const Millis report_after_;
  bool away_ = false;
  bool reported_ = false;
  SteadyTime since_{};
};

}  // namespace imagesweep
