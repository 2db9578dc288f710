#pragma once

#include <functional>
#include <stop_token>
#include <vector>

#include "agent/base/backoff.h"
#include "agent/base/guarded.h"
#include "agent/base/result.h"
#include "agent/base/wakeup.h"
#include "agent/daemon/event_pacer.h"
#include "agent/telemetry/log.h"

namespace imagesweep {

// Accepts events from any thread without blocking, and writes them to the API server from its own
// thread.  Retries a failed write with back-off.  Logs failures, for example a missing permission,
// at most once an hour.
class EventPublisher {
 public:
  // Writes one event; kNotFound when the event of a series no longer exists.
  using Write = std::function<Status(const NodeEventWrite& write, const std::stop_token& stop)>;

  // `retry`: delay between attempts after a failed write.
  EventPublisher(std::string node, Write write, Log& log, const Clock& clock, Backoff retry);
  static Backoff DefaultRetry(std::uint64_t seed);

  void Offer(NodeEvent event);
  // Runs until `stop` is requested.
  void Run(const std::stop_token& stop);

 private:
  struct Offered {
    NodeEvent event;
    SystemTime at;
  };
  void WriteOne(const NodeEventWrite& write, const std::stop_token& stop);
  void Complain(const Error& why);

  const Write write_;
  Log& log_;
  const Clock& clock_;
  Wakeup wakeup_;
  Guarded<std::vector<Offered>> offered_;
  EventPacer pacer_;
  Backoff backoff_;
  std::optional<SteadyTime> complained_;
};

}  // namespace imagesweep
