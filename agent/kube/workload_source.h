#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/base/guarded.h"
#include "agent/kube/lister.h"
#include "agent/kube/reflector.h"
#include "agent/kube/rewind_guard.h"
#include "agent/kube/workload_parser.h"
#include "agent/model/ports.h"

namespace imagesweep::kube {

using WorkloadObjects = std::vector<std::shared_ptr<const WorkloadObject>>;

// The objects of one kind that a watch knows.  Written by the reflector's thread, read by any.
class WorkloadStore final : public ReflectorHandler, private ItemSink {
 public:
  // `on_live`: called on the reflector's thread after each sign of life.
  WorkloadStore(WorkloadKind kind, const Clock& clock, std::function<void()> on_live);

  ItemSink* sink() override { return this; }
  Status Replace(const ObjectList& list) override;
  Status Apply(EventType type, const Json& object) override;
  void Confirm() override;
  void Lose(const Error& why) override;

  // Adds what is known to `objects` and returns when it was last known to be current.  An error
  // before the first list; while something was seen that is not understood, may be older than what
  // was seen before, or may not be read; and when nothing was heard for longer than `most`, since a
  // server that is away for a moment must not stop every node.
  Result<SteadyTime> Collect(Millis most, WorkloadObjects& objects) const;

 private:
  using ByUid = std::map<std::string, std::shared_ptr<const WorkloadObject>>;
  // Items of the list that Replace() ends.
  void Start() override;
  Status Take(const Json& item) override;

  struct State {
    ByUid objects;
    std::string newest;  // resourceVersion
    bool listed = false;
    std::optional<Error> lost;
    SteadyTime confirmed_at;
  };
  const WorkloadResource& resource_;
  const Clock& clock_;
  const std::function<void()> on_live_;
  RewindGuard rewind_;  // of the reflector's thread
  ByUid staged_;        // the same
  Guarded<State> state_;
};

// The cluster's workloads straight from the API server: seven kinds, each whole or not at all.
// Before Watch() each Read() lists them.  Any thread.
class WorkloadSource final : public WorkloadReader {
 public:
  struct Options {
    Millis idle = std::chrono::seconds(90);
    // Many agents that start together must not list together.
    Millis start_within = std::chrono::seconds(20);
    // For how long what was seen counts when the server does not answer.
    Millis most_stale = std::chrono::minutes(5);
    std::uint64_t seed = 0;
  };
  WorkloadSource(HttpTransport& transport, const Clock& clock, Options options,
                 RequestObserver observer);
  ~WorkloadSource() override;

  // Watches all kinds on threads of its own until it is destroyed.  Once, before the first Read().
  // `on_back` is called on one of them when all is there again after a Read() that failed.
  void Watch(std::function<void()> on_back = {});
  Result<WorkloadEvidence> Read(SteadyTime newer_than, const std::stop_token& stop) override;

 private:
  struct Kind;
  Lister NewLister(const WorkloadResource& resource) const;
  Result<SteadyTime> ListAll(WorkloadObjects& objects, const std::stop_token& stop) const;
  Result<SteadyTime> CollectAll(WorkloadObjects& objects) const;
  void Live();

  HttpTransport& transport_;
  const Clock& clock_;
  const Options options_;
  const RequestObserver observer_;
  std::function<void()> on_back_;
  std::atomic<bool> refused_{false};
  bool watches_ = false;
  std::mutex mu_;
  std::optional<WorkloadEvidence> last_;  // without a watch
  std::list<Kind> kinds_;
  std::list<std::jthread> threads_;  // last, so that they end first
};

}  // namespace imagesweep::kube
