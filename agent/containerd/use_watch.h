#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/backoff.h"
#include "agent/base/clock.h"
#include "agent/base/guarded.h"
#include "agent/base/result.h"
#include "agent/model/reference.h"

namespace grpc {
class Channel;
}

namespace imagesweep::containerd {

// Hears of every container that containerd creates, so that one which comes and goes between two
// runs counts as a use of its image.
//
// By containerd's own events.  Never by GetContainerEvents of the CRI: containerd 1.7 hands each of
// those to one client alone, so we would take them from the kubelet (its CRI plugin's
// container_events.go).
//
// A name may mean another image by the time that somebody asks, so each use is remembered by the ID
// of the image as well, which is asked for at once.  A use of an image that cannot be told counts
// as a loss.  Images that are pulled, imported or named are remembered too (kCameAgain): what is
// listed under the same ID as before may have been away in between.
//
// Events are not sent again, so each subscription is followed by a look at the containers there
// are: one that came while nobody listened is then known, if it is still there.
//
// containerd keeps what a subscriber has not read, without a bound: nothing here makes the reading
// wait.  Source: containerd, core/events/exchange.
class UseWatch {
 public:
  struct Options {
    std::string cri_namespace = "k8s.io";  // subscribers hear of all of them
    std::size_t most_names = 10'000;       // remembered between two calls of Drain
    Millis list_timeout = std::chrono::seconds(30);
    std::uint64_t seed = 0;  // of the waits between attempts
    // On the thread of Run: each subscription; and why the events do not come, once until they have
    // come again.
    std::function<void()> subscribed = {};
    std::function<void(const Error&)> lost = {};
    // A container was created, or events were lost: there is something to drain.
    std::function<void()> changed = {};
  };
  struct Uses {
    std::vector<ImageReference> references;  // each name once
    // False: events were lost, or there were too many names; a use may be missing.
    bool complete = true;
    // Since when every use was heard of: the list of containers that followed the subscription, or
    // the last loss.  Empty: while nobody listens.
    std::optional<SteadyTime> since = {};
  };

  UseWatch(const std::shared_ptr<grpc::Channel>& channel, const Clock& clock, Options options);
  ~UseWatch();

  // Listens until told to stop, across restarts of containerd.  Returns earlier when this runtime
  // has no such events: it is not containerd, or has them switched off.
  void Run(const std::stop_token& stop);

  // What was used since the last call.  Any thread.
  Uses Drain();

 private:
  struct Stubs;
  struct State {
    std::map<std::string, std::string, std::less<>> containers;  // by a reference of its image
    bool complete = true;
    bool deaf = false;  // the last subscription is over, and the next not made
    std::optional<SteadyTime> since;
  };
  Status Listen(const std::stop_token& stop);
  Status Hear(const std::stop_token& stop, bool& any);
  Status RememberAll(const std::stop_token& stop);
  bool Remember(const std::string& image, const std::string& container);
  bool RememberEvent(const std::string& topic, const std::string& value,
                     const std::stop_token& stop);
  bool RememberCreate(const std::string& value, const std::stop_token& stop);
  bool RememberImage(const std::string& topic, const std::string& value,
                     const std::stop_token& stop);
  Result<std::vector<std::string>> IdsOf(const std::string& image,
                                         const std::stop_token& stop) const;
  void SetDeaf(bool deaf);
  void Changed() const;

  const Clock& clock_;
  const Options options_;
  const std::unique_ptr<Stubs> stubs_;
  Backoff backoff_;
  bool worked_ = false;  // ever
  bool told_ = false;    // that events do not come
  Guarded<State> state_;
};

}  // namespace imagesweep::containerd
