#pragma once

#include <memory>
#include <stop_token>

#include "agent/base/clock.h"
#include "agent/model/ports.h"
#include "agent/runtime/docker/client.h"

namespace imagesweep::docker {

// Receives the creation and the start of every container from GET /events, so that a container that
// comes and goes between two runs counts as a use of its image. Events are not sent again, so a
// list of all containers follows each subscription. Images that are pulled, loaded, or tagged count
// as new.
class EventWatch final : public UseSource {
 public:
  // `client` and `clock` must outlive this object.
  EventWatch(const Client& client, const Clock& clock, Hooks hooks);
  ~EventWatch() override;
  void Run(const std::stop_token& stop) override;
  Uses Drain() override;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace imagesweep::docker
