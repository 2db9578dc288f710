#include "agent/kube/index/workload_index_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "agent/base/duration.h"
#include "agent/base/parse_number.h"

namespace imagesweep::kube {
namespace {

// The resourceVersions of one resource are ordered numbers (KEP-5504). Other versions have no
// order.
bool IsLater(const std::string& version, const std::string& than) {
  const auto one = ParseNumber<std::uint64_t>(version), other = ParseNumber<std::uint64_t>(than);
  return one && other && *one > *other;
}

}  // namespace

WorkloadIndexStore::WorkloadIndexStore(IndexName index, const Clock& clock,
                                       std::function<void()> on_back)
    : index_(std::move(index)), clock_(clock), on_back_(std::move(on_back)) {}

void WorkloadIndexStore::NotifyIfBack() {
  const std::uint64_t accepted_heads =
      state_.With([](const State& state) { return state.accepted_heads; });
  std::uint64_t refused = refused_at_.load();
  if (refused == 0 || refused > accepted_heads || !on_back_) return;
  if (refused_at_.compare_exchange_strong(refused, 0)) on_back_();
}

Error WorkloadIndexStore::Wrong(const std::string& what) const {
  return {ErrorKind::kIncomplete, "the workload index " + index_.display() + " " + what};
}

void WorkloadIndexStore::Note(State& state, const Json& object, const ObjectId& id) const {
  if (id.name == index_.name) {
    state.head = ReadHead(object);
    NoteHead(state, id.version);
  } else if (IsShardOf(index_, 'a', id.name) || IsShardOf(index_, 'b', id.name)) {
    state.shards.insert_or_assign(id.name, ReadShard(object));
  }
}

void WorkloadIndexStore::NoteHead(State& state, const std::string& version) const {
  state.ahead = false;
  if (!*state.head) return;
  const IndexHead& head = **state.head;
  const auto age = std::chrono::duration_cast<Millis>(clock_.Now() - head.heartbeat);
  state.ahead = -age > kOldest;
  if (state.ahead) return;
  const auto& before = state.accepted_head;
  if (before && head.heartbeat <= before->heartbeat && !IsLater(version, state.accepted_version))
    return;
  state.accepted_head = head;
  state.accepted_version = version;
  ++state.accepted_heads;
  state.true_at = clock_.Steady() - std::max(age, Millis::zero());
  // Shards of an older generation do not count until they are written again. Newer ones belong to
  // the next set.
  std::erase_if(state.shards, [&](const auto& entry) {
    return entry.second && entry.second->shard.generation < head.generation;
  });
}

Status WorkloadIndexStore::Replace(const ObjectList& list) {
  std::vector<ObjectId> ids;
  for (const Json& item : list.items) {
    auto id = ReadId(item);
    if (!id) return id.error();
    ids.push_back(*std::move(id));
  }
  state_.With([&](State& state) {
    state.shards.clear();
    state.head.reset();
    state.ahead = false;
    // The head comes last: it shows which shards are old.
    for (const bool heads : {false, true})
      for (std::size_t i = 0; i < ids.size(); ++i)
        if ((ids[i].name == index_.name) == heads) Note(state, list.items[i], ids[i]);
    state.listed = true;
    state.lost.reset();
    return ++state.changes;
  });
  NotifyIfBack();
  return Done{};
}

Status WorkloadIndexStore::Apply(EventType type, const Json& object) {
  const auto id = ReadId(object);
  if (!id) return id.error();
  state_.With([&](State& state) {
    if (type != EventType::kDeleted) {
      Note(state, object, *id);
    } else if (id->name == index_.name) {
      state.head.reset();
      state.ahead = false;
    } else {
      state.shards.erase(id->name);
    }
    return ++state.changes;
  });
  NotifyIfBack();
  return Done{};
}

void WorkloadIndexStore::OnSynced() {
  state_.With([](State& state) {
    state.lost.reset();
    return 0;
  });
}

void WorkloadIndexStore::OnDisconnected(const Error& why) {
  state_.With([&](State& state) {
    state.lost = why;
    return 0;
  });
}

bool WorkloadIndexStore::listed() const {
  return state_.With([](const State& state) { return state.listed; });
}

bool WorkloadIndexStore::lost() const {
  return state_.With([](const State& state) { return state.lost.has_value(); });
}

std::uint64_t WorkloadIndexStore::changes() const {
  return state_.With([](const State& state) { return state.changes; });
}

// Why the head is not valid.
std::optional<Error> WorkloadIndexStore::WhyInvalid(const State& state) const {
  const std::string watch = state.lost ? "; its watch is lost: " + state.lost->what : "";
  if (!state.listed) return Wrong("has not been read yet" + watch);
  if (!state.head)
    return Error{ErrorKind::kNotFound, "there is no workload index " + index_.display() +
                                           "; check that `imagesweep index` runs there with "
                                           "--index-name=" +
                                           index_.name + ", and read its log" + watch};
  if (!*state.head) return Wrong("cannot be read: " + state.head->error().what);
  const IndexHead& head = **state.head;
  if (state.ahead)
    return Wrong("has a heartbeat of " + FormatTime(head.heartbeat) +
                 ", which is in this node's future; correct the clock of this node or that of " +
                 head.holder);
  const IndexHead& accepted_head = *state.accepted_head;
  if (!head.SameSet(accepted_head))
    return Wrong("went back from generation " + std::to_string(accepted_head.generation) + " to " +
                 std::to_string(head.generation) +
                 ", because the API server has old data or was restored from a backup; the next "
                 "heartbeat of its leader makes it valid again");
  const auto age = std::chrono::duration_cast<Millis>(clock_.Steady() - state.true_at);
  if (age <= kOldest) return std::nullopt;
  return Wrong(
      "was last true " + HumanDuration(age) + " ago (more than " + HumanDuration(kOldest) +
      "), written by " + accepted_head.holder +
      "; check the log of `imagesweep index`, its right to read the workloads, and the clocks" +
      watch);
}

Result<WorkloadEvidence> WorkloadIndexStore::Read() const {
  // Read before the set, so that a newer head that arrives meanwhile is reported.
  const std::uint64_t accepted_heads =
      state_.With([](const State& state) { return state.accepted_heads; });
  auto read = ReadWhole();
  refused_at_ = read ? 0 : accepted_heads + 1;
  return read;
}

Result<WorkloadEvidence> WorkloadIndexStore::ReadWhole() const {
  std::optional<Error> invalid;
  std::vector<IndexShard> shards;
  IndexHead head;
  WorkloadEvidence evidence;
  state_.With([&](const State& state) {
    invalid = WhyInvalid(state);
    if (invalid) return 0;
    head = **state.head;
    evidence.as_of = state.true_at;
    for (const auto& [name, shard] : state.shards) {
      if (!IsShardOf(index_, head.slot, name)) continue;
      if (NumberOf(name) >= head.shards) continue;  // left over from a larger set
      if (!shard) {
        invalid = Wrong("cannot be read: ConfigMap " + name + ": " + shard.error().what +
                        "; its leader writes it again");
        return 0;
      }
      shards.push_back(shard->shard);
    }
    return 0;
  });
  if (invalid) return *invalid;
  const std::string cure = "; its leader publishes it again within seconds";
  const std::string in_it = "is incomplete in generation " + std::to_string(head.generation) + ": ";
  const auto torn = std::ranges::find_if(shards, [&](const IndexShard& shard) {
    return shard.generation != head.generation || shard.sha256 != head.sha256 ||
           shard.count != head.shards;
  });
  if (torn != shards.end())
    return Wrong(in_it + "torn: shard " + std::to_string(torn->number + 1) +
                 " belongs to another set (generation " + std::to_string(torn->generation) + ")" +
                 cure);
  auto references = DecodeIndex(shards);
  if (!references) return Wrong(in_it + references.error().what + cure);
  if (references->size() != head.references)
    return Wrong(in_it + "it has " + std::to_string(references->size()) +
                 " references instead of " + std::to_string(head.references) + cure);
  evidence.references = *std::move(references);
  evidence.origin = "the index, generation " + std::to_string(head.generation);
  return evidence;
}

}  // namespace imagesweep::kube
