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
#include "agent/kube/client/lister.h"
#include "agent/kube/watch/reflector.h"
#include "agent/kube/workloads/workload_parser.h"
#include "agent/model/ports.h"

namespace imagesweep::kube {

using WorkloadObjects = std::vector<std::shared_ptr<const WorkloadObject>>;

// The objects of one kind that a watch knows. The thread of the reflector writes it, any thread may
// read it.
class WorkloadStore final : public ReflectorHandler, private ItemSink {
 public:
  // `on_live` is called on the thread of the reflector whenever the watch shows that it works.
  WorkloadStore(WorkloadKind kind, const Clock& clock, std::function<void()> on_live);

  ItemSink* sink() override { return this; }
  Status Replace(const ObjectList& list) override;
  Status Apply(EventType type, const Json& object) override;
  void OnSynced() override;
  void OnDisconnected(const Error& why) override;

  // Appends the known objects to `objects` and returns when they were last known to be current.
  // Returns an error
  //   - before the first list,
  //   - while the last input cannot be understood, may be older than earlier input, or is denied,
  //   - if the server has not shown for longer than `most` that the objects are current.
  // A short outage of the server is no error, so that it does not stop every node.
  Result<SteadyTime> Collect(Millis most, WorkloadObjects& objects) const;

 private:
  using ByUid = std::map<std::string, std::shared_ptr<const WorkloadObject>>;
  // The items of the list that Replace() completes.
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
  RewindGuard rewind_;  // used by the reflector's thread only
  ByUid staged_;        // used by the reflector's thread only
  Guarded<State> state_;
};

// The workloads of the cluster, directly from the API server: seven kinds, each complete or not at
// all. Before Watch(), each Read() lists them. Thread-safe.
class WorkloadSource final : public WorkloadReader {
 public:
  struct Options {
    Millis idle = std::chrono::seconds(90);
    // Agents that start together must not list at the same time.
    Millis start_within = std::chrono::seconds(20);
    // How long the known state is valid if the server does not answer.
    Millis max_stale = std::chrono::minutes(5);
    std::uint64_t seed = 0;
  };
  WorkloadSource(HttpTransport& transport, const Clock& clock, Options options,
                 RequestObserver observer);
  ~WorkloadSource() override;

  // Watches all kinds on threads of this object until it is destroyed. Call it once, before the
  // first Read(). `on_back` is called on one of these threads when all kinds can be read again
  // after a Read() that failed.
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
