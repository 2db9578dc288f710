#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "agent/base/guarded.h"
#include "agent/kube/reflector.h"
#include "agent/kube/workload_index_objects.h"
#include "agent/model/workload.h"

namespace imagesweep::kube {

// What is known of one workload index, and whether it can be believed.  Written by a reflector's
// thread, read by any.
//
// Time: the leader's heartbeat says when the set was last true, by the leader's clock.  How old
// that is, is reckoned once, with this node's clock, when a new heartbeat is seen; from then on the
// monotonic clock counts.  So neither a clock that jumps nor a server that repeats old data makes
// an old set young.
//
// Back in time: a head with a smaller resourceVersion and no younger heartbeat than one believed
// before comes from a server with old data or from a restored backup, and may lack references.  It
// is not believed until its leader's heartbeat is newer than any believed before.  The generation
// orders nothing: it is what a writer says, and a false one would stand for ever.
//
// From the future: a heartbeat that is far ahead of this node's clock proves nothing, so its head
// is not believed, and what was believed before stays the measure for the next.  So whatever
// somebody writes, the next true heartbeat heals it.
//
// Memory: only the shards of the published slot are kept, gzipped as they came, plus those that are
// on their way into the other; the references themselves are made anew for each Read().
class WorkloadIndexStore final : public ReflectorHandler {
 public:
  // Heartbeats come about once a minute.
  static constexpr Millis kOldest = std::chrono::minutes(10);

  // `on_back`: called on the reflector's thread when there is something new to believe after a
  // Read() that failed.
  WorkloadIndexStore(IndexName index, const Clock& clock, std::function<void()> on_back = {});

  Status Replace(const ObjectList& list) override;
  Status Apply(EventType type, const Json& object) override;
  void Confirm() override;
  void Lose(const Error& why) override;

  // The whole set, or kIncomplete/kNotFound: what is missing and what cures it.
  Result<WorkloadEvidence> Read() const;
  // There was a list.
  bool listed() const;
  // Grows with everything that is seen.
  std::uint64_t changes() const;
  // The watch is lost just now.
  bool lost() const;

 private:
  struct State {
    bool listed = false;
    std::optional<Error> lost;
    std::uint64_t changes = 0;
    std::uint64_t beliefs = 0;              // so many heads were newer than those before
    std::optional<Result<IndexHead>> head;  // empty: there is none
    std::map<std::string, Result<SlottedShard>> shards;
    bool ahead = false;                 // its heartbeat is from far in our future
    std::optional<IndexHead> believed;  // the newest so far
    std::string believed_version;       // its resourceVersion
    SteadyTime true_at;                 // when that set was last true
  };
  void Note(State& state, const Json& object, const ObjectId& id) const;
  void NoteHead(State& state, const std::string& version) const;
  void TellIfBack();
  Result<WorkloadEvidence> ReadWhole() const;
  std::optional<Error> Doubt(const State& state) const;
  Error Wrong(const std::string& what) const;

  const IndexName index_;
  const Clock& clock_;
  const std::function<void()> on_back_;
  // Of `beliefs` at the last Read() that failed, plus one; 0: the last one did not.
  mutable std::atomic<std::uint64_t> refused_at_{0};
  Guarded<State> state_;
};

}  // namespace imagesweep::kube
