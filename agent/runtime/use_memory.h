#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/guarded.h"
#include "agent/model/use_source.h"

namespace imagesweep {

// The uses of images that a watch of events received and no one has asked for yet. It is complete
// from each end of a loss to the next one. Thread-safe.
class UseMemory {
 public:
  // `max_names`: between two calls of Drain. `clock` must outlive this object.
  UseMemory(const Clock& clock, std::size_t max_names) : clock_(clock), max_names_(max_names) {}

  // A use of `image` by `container`. False if there are too many names: then a use is lost. The
  // empty text is ignored.
  bool Remember(const std::string& image, const std::string& container);
  // True: events were lost, or may be. False: from now on, all arrive.
  void SetDisconnected(bool disconnected);
  // For a runtime without events: there is nothing to lose.
  void Clear();
  UseSource::Uses Drain();

 private:
  struct State {
    std::map<std::string, std::string, std::less<>> containers;  // by a reference of its image
    bool complete = true;
    bool disconnected = false;  // the last subscription ended, and the next one is not made
    std::optional<SteadyTime> since;
  };
  const Clock& clock_;
  const std::size_t max_names_;
  Guarded<State> state_;
};

}  // namespace imagesweep
