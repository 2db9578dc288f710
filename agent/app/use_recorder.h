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

#include "agent/app/wakeup.h"
#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/containerd/use_watch.h"
#include "agent/kube/recent.h"
#include "agent/model/reference.h"
#include "agent/state/use_log.h"

namespace imagesweep {

// Joins what the watches of an agent see of the uses of images, keeps it for the agent's next
// observation, and writes it to the state directory at once, at most one transaction a second.
//
// All uses are watched while the runtime's events come and, with Kubernetes, the pods are watched,
// each since its last loss.  A runtime without events is never watched: a container that comes and
// goes between two lists leaves no trace.  A process that was stopped for 10 s has a gap too, since
// what it was sent meanwhile waits to be read.
//
// Run() on a thread of its own; the other calls from any.
class UseRecorder {
 public:
  struct Sources {
    std::function<containerd::UseWatch::Uses()> events;
    std::function<kube::Recent()> pods = {};  // empty: told to do without Kubernetes
  };
  static constexpr Millis kPause = std::chrono::seconds(1);
  static constexpr Millis kStopped = std::chrono::seconds(10);

  // `failed`: the state directory cannot be used, each time; commands then see no watch.  On the
  // thread of Run.
  UseRecorder(Sources sources, UseLog& log, const Clock& clock,
              std::function<void(const Error&)> failed = {});

  void Run(const std::stop_token& stop);
  // One step of Run(): takes what the sources have and writes it.  True when it had to write.
  bool Step();

  // A use came, or events were lost: commands have to wait until it is written.
  void Notify();

  // What was used since the last call, for an observation; and since when, as of now, all uses have
  // been watched.
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
  std::set<std::string> pods_before_;  // what the pods referred to when they were asked last
  std::optional<SteadyTime> events_since_;
  std::optional<SteadyTime> pods_since_;
  std::optional<SteadyTime> not_before_;  // the end of the last gap that is ours
  SteadyTime gathered_;
  std::uint64_t notified_ = 0;
  std::optional<SteadyTime> written_since_;  // of the mark in the file
  bool told_written_ = false;                // commands need not wait
};

}  // namespace imagesweep
