#pragma once

#include <map>
#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/model/image.h"

namespace imagesweep {

// Delays the next attempt for an image whose removal failed or was skipped, or that is still listed
// after it: 10 minutes, doubling up to 6 hours.  A runtime that times out on a large image may
// still be removing it.  One thread.
class RemovalBackoff {
 public:
  // `why`: a clause, "its removal failed before (…)".
  void Failed(const ImageId& id, std::string why, SteadyTime now);
  // The connection to the runtime was lost, so the runtime may not have received the call.  The
  // image is tried again at once.  The second time in a row counts as a failure, because the
  // removal may crash the runtime.
  void Lost(const ImageId& id, std::string why, SteadyTime now);
  void Succeeded(const ImageId& id) { entries_.erase(id); }
  // Why the image is not tried, and for how long.  Empty: it can be tried.
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
