#pragma once

#include <map>
#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/model/node_event.h"

namespace imagesweep {

// Holds events back so that the API server hears of one reason at most every ten minutes: what
// repeats meanwhile becomes a series, and of what changes meanwhile the last is told.  An event
// that is to be told at once follows the last of its reason after ten seconds at the earliest. Pure
// but for the times it is given; one event per reason is kept, so it does not grow.  One thread.
class EventPacer {
 public:
  // `prefix`: of the objects' names, e.g. the node's name.
  explicit EventPacer(std::string prefix);

  void Offer(const NodeEvent& event, SystemTime at);

  // What is due now, or nothing.  To be told of by Written, or put off by Failed.
  std::optional<NodeEventWrite> Next(SteadyTime now) const;
  void Written(const NodeEventWrite& write, SteadyTime now);
  // Not before `retry_at`.
  void Failed(const NodeEventWrite& write, SteadyTime retry_at);
  // The API server no longer has the event that was to go on: it is written anew.
  void Forgotten(const NodeEventWrite& write);
  // When Next may have something; empty: nothing waits.
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

}  // namespace imagesweep
