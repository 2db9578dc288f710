#pragma once

#include <map>
#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/model/image.h"

namespace imagesweep {

// An image whose removal failed or was skipped, or that stays listed after it, is left alone for 10
// minutes, doubling to 6 hours.  A runtime that times out on a big image may still be working on
// it.
class RemovalBackoff {
 public:
  // `why`: a clause for people, "its removal failed before (…)".
  void Failed(const ImageId& id, std::string why, SteadyTime now);
  // The connection to the runtime was lost, so the runtime may never have been asked.  The image is
  // tried again at once.  The second time in a row counts as a failure: the removal may be what
  // ends the runtime.
  void Lost(const ImageId& id, std::string why, SteadyTime now);
  void Succeeded(const ImageId& id) { entries_.erase(id); }
  // Why it is left alone, and for how long; empty: it may be tried.
  std::string WhyNot(const ImageId& id, SteadyTime now) const;

 private:
  struct Entry {
    Millis wait{0};
    SteadyTime until;
    std::string why = {};
    bool lost = false;
  };
  std::map<ImageId, Entry> entries_;
};

}  // namespace imagesweep
