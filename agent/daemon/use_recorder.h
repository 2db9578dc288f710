#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/base/wakeup.h"
#include "agent/kube/pods/pod_store.h"
#include "agent/model/reference.h"
#include "agent/model/use_source.h"
#include "agent/state/use_log.h"

namespace imagesweep {

// Collects the uses of images that the watches of an agent see, keeps them for the agent's next
// observation, and writes them to the state directory, at most one transaction a second.
//
// All uses are watched while the events of the runtime arrive and, with Kubernetes, the pods are
// watched, each since its last interruption.  A runtime without events is never watched, because a
// short-lived container between two lists leaves no trace.  A process that was stopped for 10 s has
// a gap too, because its events wait to be read.
//
// Run() on its own thread; the other calls from any thread.
class UseRecorder {
 public:
  struct Sources {
    std::function<UseSource::Uses()> events;
    std::function<kube::Recent()> pods = {};  // empty: --without-kubernetes
  };
  static constexpr Millis kPause = std::chrono::seconds(1);
  static constexpr Millis kStopped = std::chrono::seconds(10);

  // `failed`: called on the thread of Run each time that the state directory cannot be written.
  // Commands then see no watch.
  UseRecorder(Sources sources, UseLog& log, const Clock& clock,
              std::function<void(const Error&)> failed = {});

  void Run(const std::stop_token& stop);
  // One step of Run(): drains the sources and writes their uses.  True if there was anything to
  // write.
  bool Step();

  // A use arrived, or events were lost: commands must wait until it is written.
  void Notify();

  // Take: the uses since the last call, for an observation.  watched_since: the time since which
  // all uses are watched.
  std::vector<ImageReference> Take();
  std::optional<SteadyTime> watched_since() const;

 private:
  void Gather();
  void Add(std::vector<ImageReference> references, std::set<std::string>* seen_before);
  std::optional<SteadyTime> Since() const;

  const Sources sources_;
  UseLog& log_;
  const Clock& clock_;
  const std::function<void(const Error&)> failed_;
  Wakeup wakeup_;

  mutable std::mutex mu_;
  std::map<std::string, ImageReference> pending_;  // for the next observation, by text
  std::set<std::string> unwritten_;
  std::set<std::string> pods_before_;  // the references of the pods at the last read
  std::optional<SteadyTime> events_since_;
  std::optional<SteadyTime> pods_since_;
  std::optional<SteadyTime> not_before_;  // the end of the last gap of this process
  SteadyTime gathered_;
  std::uint64_t notified_ = 0;
  std::optional<SteadyTime> written_since_;  // the mark in the file
  bool told_written_ = false;                // true: commands need not wait
};

}  // namespace imagesweep
