#pragma once

#include "agent/base/clock.h"

namespace imagesweep {

// Tells a short outage, such as a restart, from one to report.  Reports each outage once.  One
// thread.
class Outage {
 public:
  explicit Outage(Millis told_after) : told_after_(told_after) {}

  // Records the current state.  True if the outage is longer than `told_after` and not yet
  // reported.
  bool Note(bool away, SteadyTime now) {
    if (away && !away_) since_ = now;
    if (!away) told_ = false;
    away_ = away;
    if (!away_ || told_ || now - since_ < told_after_) return false;
    told_ = true;
    return true;
  }

 private:
  const Millis told_after_;
  bool away_ = false;
  bool told_ = false;
  SteadyTime since_{};
};

}  // namespace imagesweep
