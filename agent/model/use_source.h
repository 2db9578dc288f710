#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/model/reference.h"

namespace imagesweep {

// Receives the uses of images from a runtime, so that a container that comes and goes between two
// runs counts as a use of its image.
class UseSource {
 public:
  struct Hooks {
    // Called on the thread of Run: `subscribed` for each subscription, and `lost` with the reason
    // why events do not arrive, once until they arrive again.
    std::function<void()> subscribed = {};
    std::function<void(const Error&)> lost = {};
    // A container was created, or events were lost, so there is something to drain.
    std::function<void()> changed = {};
  };
  struct Uses {
    // Each text once.  A text that begins with kCameAgain (agent/model/recent_use.h) names an image
    // that was pulled, loaded, or tagged, and not used.
    std::vector<ImageReference> references;
    // False: events were lost, or there were too many names, so a use may be missing.
    bool complete = true;
    // Since when every use is known: since the list of containers that followed the subscription,
    // or since the last loss. Empty: there is no subscription.
    std::optional<SteadyTime> since = {};
  };
  virtual ~UseSource() = default;
  // Runs until `stop`, also across restarts of the runtime. Returns earlier if the runtime has no
  // such events.
  virtual void Run(const std::stop_token& stop) = 0;
  // The uses since the last call. Any thread.
  virtual Uses Drain() = 0;
};

}  // namespace imagesweep
