#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>

#include "agent/base/clock.h"
#include "agent/model/use_source.h"
#include "agent/runtime/docker/client.h"

namespace imagesweep::docker {

// Receives the creation and the start of every container from GET /events, so that a container that
// comes and goes between two runs counts as a use of its image. Each use is also remembered by the
// ID of the image, which is read at once, because the name may refer to another image later. A use
// whose image is unknown counts as a loss. Images that are pulled, loaded, or tagged count as new
// (kCameAgain).
//
// The daemon does not report when a subscription is made. So each subscription asks for the events
// since the moment before a list of all containers, and the daemon sends those from its memory. It
// has the last 256 events. Source: moby, daemon/events and daemon/server/router/system.
class EventWatch final : public UseSource {
 public:
  // `client` and `clock` must outlive this object. `max_names`: remembered between two calls of
  // Drain.
  EventWatch(const Client& client, const Clock& clock, Hooks hooks, std::size_t max_names = 10'000);
  ~EventWatch() override;
  // Runs until `stop`, also across restarts of the daemon.
  void Run(const std::stop_token& stop) override;
  Uses Drain() override;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace imagesweep::docker
