#pragma once

#include <map>
#include <optional>

#include "agent/base/clock.h"
#include "agent/model/image.h"

namespace imagesweep {

// An image whose removal failed, or that stays listed after it, is left alone for a while: 10
// minutes, doubling to 6 hours.  A runtime that times out on a big image may still be working on
// it.
class RemovalBackoff {
 public:
  void Failed(const ImageId& id, SteadyTime now);
  // The same for one that the runtime refuses to remove, because something uses it.
  void InUse(const ImageId& id, SteadyTime now);
  bool IsInUse(const ImageId& id) const;
  void Succeeded(const ImageId& id) { entries_.erase(id); }
  // How long it is still to be left alone; empty when it may be tried.
  std::optional<Millis> Wait(const ImageId& id, SteadyTime now) const;

 private:
  struct Entry {
    Millis wait{0};
    SteadyTime until;
    bool in_use = false;
  };
  std::map<ImageId, Entry> entries_;
};

}  // namespace imagesweep
