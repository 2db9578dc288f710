#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/backoff.h"
#include "agent/base/clock.h"
#include "agent/base/guarded.h"
#include "agent/base/result.h"
#include "agent/base/wakeup.h"
#include "agent/model/node_event.h"
#include "agent/telemetry/log.h"

namespace imagesweep {

// Limits events to one write per reason in ten minutes.  An event that repeats in the meantime
// becomes a series; of events that differ, only the newest is written.  An event with `at_once`
// follows the previous event of its reason after at least ten seconds.  Reads no clock.  Keeps one
// event per reason, so its memory is bounded.  One thread.
class EventPacer {
 public:
  // `prefix`: of the objects' names, e.g. the node's name.
  explicit EventPacer(std::string prefix);

  void Offer(const NodeEvent& event, SystemTime at);

  // The write that is due now, if any.  The caller reports its result to Written, Failed, or
  // Forgotten.
  std::optional<NodeEventWrite> Next(SteadyTime now) const;
  void Written(const NodeEventWrite& write, SteadyTime now);
  // Not before `retry_at`.
  void Failed(const NodeEventWrite& write, SteadyTime retry_at);
  // The API server no longer has the event of the series: the next write creates a new one.
  void Forgotten(const NodeEventWrite& write);
  // The time at which Next may return a write; empty: none waits.
  std::optional<SteadyTime> NextDue() const;

 private:
  struct Entry {
    std::optional<NodeEventWrite> written;  // what the API server has
    std::optional<NodeEventWrite> waiting;
    SteadyTime due = SteadyTime::min();
    SteadyTime due_at_once = SteadyTime::min();
  };
  const std::string prefix_;
  std::map<std::string, Entry> by_reason_;
};

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
