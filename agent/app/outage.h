#pragma once

#include "agent/base/clock.h"

namespace imagesweep {

// Tells a short absence, which is a restart, from one that somebody must hear of; once for each.
// One thread.
class Outage {
 public:
  explicit Outage(Millis told_after) : told_after_(told_after) {}

  // What was seen now.  True when it has been away for so long and nobody was told yet.
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
