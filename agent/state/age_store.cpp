#include "agent/state/age_store.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "agent/state/age_store_file.h"
#include "agent/state/records.h"
#include "agent/state/state_file.h"
#include "agent/state/use_log.h"

namespace imagesweep {
namespace {

namespace fs = std::filesystem;

// The agent writes at most once a second.
constexpr Millis kWaitForAgent = std::chrono::seconds(3);
constexpr Millis kAskAgain{50};

// Also keeps the result of each observation in memory.  While observations are written to the file,
// the file takes precedence, because other processes write to it too.  After a failed write, memory
// takes precedence.  If another process has written in the meantime, the more patient of both
// counts.
class DurableAgeStore final : public AgeStore {
 public:
  DurableAgeStore(fs::path directory, const Clock& clock, Options options)
      : directory_(std::move(directory)), clock_(clock), options_(std::move(options)) {
    node_.machine_id = options_.machine_id;
    durable_ = OpenFile();
  }

  void SetNodeUid(std::string uid) override { node_.node_uid = std::move(uid); }

  std::vector<ImageAge> Observe(std::span<const Image> images,
                                const std::vector<bool>& in_use) override {
    const MergedObservations merged = MergeObservations(images, in_use);
    std::optional<Records> after;  // merged with the file, even if it could not be written
    const SteadyTime began = clock_.Steady();
    do {
      agent_is_behind_ = false;
      durable_ = ChangeFile([&](const Records& stored) {
        after.reset();
        const WatchedTime watched = Watched(stored, began);
        if (agent_is_behind_) return stored;
        MergedObservations used = merged;
        MarkUses(images, stored.uses, used);
        after = ObserveWithFile(stored, watched, used);
        known_ = stored.observation;
        return *after;
      });
    } while (agent_is_behind_ && clock_.Sleep(kAskAgain, {}));
    if (!after) {
      // The counts of other processes are unknown, so only counts of this process continue.
      if (!memory_is_ahead_) memory_ = Evaluate(std::move(memory_), {});
      after = Advance(memory_, Now(), Watched(memory_, began), OursLast(memory_), merged);
    }
    if (after->continuity == Continuity::kWatched) last_ours_ = after->observation;
    memory_ = *std::move(after);
    memory_is_ahead_ = !durable_;
    if (durable_) known_ = memory_.observation;
    return Ages(memory_, images);
  }

  std::vector<int> CountCandidates(std::span<const Image> images,
                                   const std::vector<bool>& candidate) override {
    const Candidates candidates = MarkCandidates(images, candidate);
    Records counted = Evaluate(memory_, candidates);
    // The file has counts only for observations that it has, so a process that sees no new
    // observation has missed no count.
    if (!memory_is_ahead_) {
      durable_ = ChangeFile([&](const Records& stored) {
        Records after = Evaluate(stored, candidates);
        counted = WithRunsOf(after, std::move(counted));
        return after;
      });
      memory_is_ahead_ = !durable_;
    }
    memory_ = std::move(counted);
    return CandidateRuns(memory_, images, candidates);
  }

  void Forget(const std::vector<ImageId>& ids) override {
    const auto without = [&](Records records) {
      for (const ImageId& id : ids) records.images.erase(id.text());
      return records;
    };
    durable_ = ChangeFile(without);
    memory_ = without(std::move(memory_));
  }

  bool unwatched() const override { return memory_.continuity != Continuity::kWatched; }
  std::vector<std::string> warnings() const override { return warnings_.lines(); }
  bool durable() const override { return durable_; }

 private:
  ObservationTime Now() const {
    const Nanos wall = clock_.Now().time_since_epoch();
    return {options_.boot_id,
            clock_.Steady().time_since_epoch(),
            std::clamp(wall, -kFarthest, kFarthest),
            Nanos::zero(),
            Nanos::zero(),
            Nanos::zero()};
  }

  // True if the file lacks observations of this process and has no new ones of other processes.
  bool MemoryLeads(const Records& stored) const {
    return memory_is_ahead_ && stored.observation == known_;
  }

  // For a command: the mark in the file is valid while the agent's lock says that all is written.
  // Read within the transaction, so that `stored` has all uses that the agent saw.
  WatchedTime Watched(const Records& stored, SteadyTime began) {
    WatchedTime watched{{}, options_.count_unwatched};
    if (options_.watched_since) {
      if (const auto since = options_.watched_since()) watched.since = since->time_since_epoch();
      return watched;
    }
    if (directory_.empty() || !stored.watch || options_.boot_id.empty() ||
        stored.watch->boot_id != options_.boot_id)
      return watched;
    const WatchState state = ReadWatchState(directory_);
    if (state == WatchState::kWritten) watched.since = stored.watch->since;
    agent_is_behind_ = state == WatchState::kBehind && clock_.Steady() - began < kWaitForAgent;
    return watched;
  }

  // The time is read here, while no other process can observe, so that intervals never overlap.
  Records ObserveWithFile(const Records& stored, const WatchedTime& watched,
                          const MergedObservations& used) {
    const ObservationTime now = Now();
    const bool ours = OursLast(stored);
    if (MemoryLeads(stored))
      return WithNode(Advance(memory_, now, watched, OursLast(memory_), used));
    Records before = stored;
    if (stored.observation && !ours &&
        !OfThisNode(stored.node, stored.observation->boot_id, node_, options_.boot_id)) {
      warnings_.Add("the ages in " + directory_.string() +
                    " are of another node, or have no evidence that they are of this node; all "
                    "ages start again");
      before.observation.reset();
      before.images.clear();
      before.node = {};
    }
    Records after = WithNode(Advance(before, now, watched, ours, used));
    if (!memory_is_ahead_) return after;
    return MergeConservatively(std::move(after),
                               Advance(memory_, now, watched, OursLast(memory_), used));
  }

  Records WithNode(Records records) const {
    for (const auto field : {&NodeIdentity::machine_id, &NodeIdentity::node_uid})
      if (!(node_.*field).empty()) records.node.*field = node_.*field;
    return records;
  }

  // True if this process made the last observation.
  bool OursLast(const Records& records) const {
    const auto& last = records.observation;
    return last && last_ours_ && last->boot_id == last_ours_->boot_id &&
           last->steady == last_ours_->steady && last->wall == last_ours_->wall;
  }

  bool ChangeFile(const std::function<Records(const Records& stored)>& change) {
    if (file_ == nullptr && !OpenFile()) return false;
    const auto written = file_->Update(change);
    if (written) return true;
    file_.reset();
    warnings_.Add(written.error().what + "; ages are counted in memory");
    return false;
  }

  bool OpenFile() {
    if (directory_.empty()) return false;
    auto opened = AgeStoreFile::Open(directory_);
    if (!opened) {
      warnings_.Add(opened.error().what + "; ages are counted in memory");
      return false;
    }
    if (!opened->note.empty()) warnings_.Add(opened->note);
    file_ = std::move(opened->file);
    return true;
  }

  const fs::path directory_;
  const Clock& clock_;
  const Options options_;
  NodeIdentity node_;
  std::unique_ptr<AgeStoreFile> file_;
  Records memory_;                            // after the last observation
  bool memory_is_ahead_ = false;              // the file lacks the last observation
  std::optional<ObservationTime> last_ours_;  // the last one of this process
  std::optional<ObservationTime> known_;      // the file's last one that memory includes
  bool agent_is_behind_ = false;              // it has seen uses that are not yet in the file
  bool durable_ = false;
  Warnings warnings_;
};

}  // namespace

std::unique_ptr<AgeStore> AgeStore::Open(const fs::path& directory, const Clock& clock,
                                         Options options) {
  return std::make_unique<DurableAgeStore>(directory, clock, std::move(options));
}

}  // namespace imagesweep
