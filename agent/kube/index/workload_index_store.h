#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "agent/base/guarded.h"
#include "agent/kube/index/workload_index_objects.h"
#include "agent/kube/watch/reflector.h"
#include "agent/model/workload.h"

namespace imagesweep::kube {

// The known state of one workload index, and whether it is valid. The thread of a reflector writes
// it, any thread may read it.
//
// Time: the heartbeat of the leader states when the set was last current, by the leader's clock.
// Its age is computed once, with the clock of this node, when a new heartbeat arrives. From then
// on, the monotonic clock counts. So neither a clock that jumps nor a server that repeats old data
// makes an old set young.
//
// Back in time: a server with old data, or a restored backup, may send an older head that lacks
// references. A head with another set is refused if neither its resourceVersion is later nor its
// heartbeat newer than those of the last accepted head. A newer heartbeat of its leader makes it
// valid. The generation gives no order, because the writer states it and a false one would stay
// forever.
//
// From the future: a heartbeat that is more than kOldest ahead of the clock of this node proves
// nothing, so its head is refused. The next head is compared with the last accepted head, not with
// the refused one. So the next correct heartbeat repairs a false one.
//
// Memory: the store keeps only the shards of the published slot, gzipped as they arrived, and those
// that are arriving for the other slot. Each Read() decodes the references again.
class WorkloadIndexStore final : public ReflectorHandler {
 public:
  // Heartbeats arrive about once a minute.
  static constexpr Millis kOldest = std::chrono::minutes(10);

  // `on_back` is called on the thread of the reflector when a newer head is accepted after a Read()
  // that failed.
  WorkloadIndexStore(IndexName index, const Clock& clock, std::function<void()> on_back = {});

  Status Replace(const ObjectList& list) override;
  Status Apply(EventType type, const Json& object) override;
  void OnSynced() override;
  void OnDisconnected(const Error& why) override;

  // The complete set, or kIncomplete or kNotFound with the missing part and the fix.
  Result<WorkloadEvidence> Read() const;
  // Whether the index was listed.
  bool listed() const;
  // Increases with every list and every event.
  std::uint64_t changes() const;
  // Whether the watch is lost at the moment.
  bool lost() const;

 private:
  struct State {
    bool listed = false;
    std::optional<Error> lost;
    std::uint64_t changes = 0;
    std::uint64_t accepted_heads = 0;       // how many heads were newer than all before
    std::optional<Result<IndexHead>> head;  // empty: there is none
    std::map<std::string, Result<SlottedShard>> shards;
    bool ahead = false;                      // its heartbeat is far in the future of this node
    std::optional<IndexHead> accepted_head;  // the newest accepted head
    std::string accepted_version;            // its resourceVersion
    SteadyTime true_at;                      // when that set was last current
  };
  void Note(State& state, const Json& object, const ObjectId& id) const;
  void NoteHead(State& state, const std::string& version) const;
  void NotifyIfBack();
  Result<WorkloadEvidence> ReadWhole() const;
  std::optional<Error> WhyInvalid(const State& state) const;
  Error Wrong(const std::string& what) const;

  const IndexName index_;
  const Clock& clock_;
  const std::function<void()> on_back_;
  // 0: the last Read() did not fail. Otherwise, `accepted_heads` at its start, plus one.
  mutable std::atomic<std::uint64_t> refused_at_{0};
  Guarded<State> state_;
};

}  // namespace imagesweep::kube
