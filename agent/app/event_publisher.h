#pragma once

#include <functional>
#include <stop_token>
#include <vector>

#include "agent/app/event_pacer.h"
#include "agent/app/wakeup.h"
#include "agent/base/backoff.h"
#include "agent/base/guarded.h"
#include "agent/base/result.h"
#include "agent/report/log.h"

namespace imagesweep {

// Takes events from any thread without waiting, and writes them to the API from one of its own.
// What cannot be written is tried again with back-off and delays nothing else; who may not write
// events is told so in the log, once an hour at most.
class EventPublisher {
 public:
  // Writes one event; kNotFound when one that was to go on is no longer there.
  using Write = std::function<Status(const NodeEventWrite& write, const std::stop_token& stop)>;

  // `retry`: between tries of what could not be written.
  EventPublisher(std::string node, Write write, Log& log, const Clock& clock, Backoff retry);
  static Backoff DefaultRetry(std::uint64_t seed);

  void Offer(NodeEvent event);
  // Until told to stop.
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
