#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/backoff.h"
#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/model/use_source.h"
#include "agent/runtime/use_memory.h"

namespace grpc {
class Channel;
}

namespace imagesweep::containerd {

// Receives the creation of every container in containerd, so that a container that comes and goes
// between two runs counts as a use of its image.
//
// The events come from containerd's own service, never from GetContainerEvents of the CRI:
// containerd 1.7 sends each of those to one client only, so this would take them from the kubelet
// (container_events.go of its CRI plugin).
//
// A name may refer to another image later, so each use is also remembered by the ID of the image,
// which is read at once. A use whose image is unknown counts as a loss. Images that are pulled,
// imported, or named are remembered too (kCameAgain): an image that is listed under the same ID may
// have been away meanwhile.
//
// Events are not sent again, so each subscription is followed by a list of the containers. A
// container that was created without a subscription is then known if it still exists.
//
// containerd keeps unread events without a limit, so nothing here may delay the reading. Source:
// containerd, core/events/exchange.
class UseWatch final : public UseSource {
 public:
  struct Options {
    std::string cri_namespace = "k8s.io";  // a subscription receives the events of all namespaces
    std::size_t max_names = 10'000;        // remembered between two calls of Drain
    Millis list_timeout = std::chrono::seconds(30);
    std::uint64_t seed = 0;  // for the waits between attempts
    Hooks hooks = {};
  };

  UseWatch(const std::shared_ptr<grpc::Channel>& channel, const Clock& clock, Options options);
  ~UseWatch() override;

  // Runs until `stop`, also across restarts of containerd. Returns earlier if this runtime has no
  // such events: it is not containerd, or has them disabled.
  void Run(const std::stop_token& stop) override;

  Uses Drain() override;

 private:
  struct Stubs;
  Status Listen(const std::stop_token& stop);
  Status ReadEvents(const std::stop_token& stop, bool& any);
  Status RememberAll(const std::stop_token& stop);
  bool RememberEvent(const std::string& topic, const std::string& value,
                     const std::stop_token& stop);
  bool RememberCreate(const std::string& value, const std::stop_token& stop);
  bool RememberImage(const std::string& topic, const std::string& value,
                     const std::stop_token& stop);
  Result<std::vector<std::string>> IdsOf(const std::string& image,
                                         const std::stop_token& stop) const;
  void Changed() const;

  const Clock& clock_;
  const Options options_;
  const std::unique_ptr<Stubs> stubs_;
  Backoff backoff_;
  bool worked_ = false;  // ever
  bool told_ = false;    // that events do not arrive
  UseMemory memory_;
};

}  // namespace imagesweep::containerd
