#include "agent/state/ledger.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "agent/state/ledger_file.h"
#include "agent/state/records.h"
#include "agent/state/warnings.h"

namespace imagesweep {
namespace {

namespace fs = std::filesystem;

// Keeps every look's result in memory as well.  As long as looks reach the file, the file leads,
// because other processes look too.  After one that did not, memory leads; once another process has
// looked meanwhile, the more patient of both counts.
class DurableLedger final : public Ledger {
 public:
  DurableLedger(fs::path directory, const Clock& clock, std::string boot_id)
      : directory_(std::move(directory)), clock_(clock), boot_id_(std::move(boot_id)) {
    durable_ = OpenFile();
  }

  void LimitGaps(Millis longest) override { longest_gap_ = longest; }

  std::vector<ImageAge> Observe(std::span<const Image> images,
                                const std::vector<bool>& in_use) override {
    const Sightings sightings = Sight(images, in_use);
    std::optional<Records> after;  // with what the file says, also when it did not take it
    durable_ = ChangeFile([&](const Records& stored) {
      after = LookFromFile(stored, sightings);
      known_ = stored.last_look;
      return *after;
    });
    if (!after) {
      // What other processes counted is not known: no count goes on but one that began here.
      if (!memory_is_ahead_) memory_ = Evaluate(std::move(memory_), {});
      after = LookFromMemory(Now(), sightings);
    }
    memory_ = *std::move(after);
    memory_is_ahead_ = !durable_;
    if (durable_) known_ = written_ = memory_.last_look;
    return Ages(memory_, images);
  }

  std::vector<int> CountCandidates(std::span<const Image> images,
                                   const std::vector<bool>& candidate) override {
    const Candidacies candidacies = Nominate(images, candidate);
    Records counted = Evaluate(memory_, candidacies);
    // The file has counts of looks that it has, so that who sees no new look has missed no count.
    if (!memory_is_ahead_) {
      durable_ = ChangeFile([&](const Records& stored) {
        Records after = Evaluate(stored, candidacies);
        counted = WithRunsOf(after, std::move(counted));
        return after;
      });
      memory_is_ahead_ = !durable_;
    }
    memory_ = std::move(counted);
    return CandidateRuns(memory_, images, candidacies);
  }

  void Forget(const std::vector<ImageId>& ids) override {
    const auto without = [&](Records records) {
      for (const ImageId& id : ids) records.images.erase(id.text());
      return records;
    };
    durable_ = ChangeFile(without);
    memory_ = without(std::move(memory_));
  }

  std::vector<std::string> warnings() const override { return warnings_.lines(); }
  bool durable() const override { return durable_; }

 private:
  LookTime Now() const {
    const Nanos wall = clock_.Now().time_since_epoch();
    return {boot_id_, clock_.Steady().time_since_epoch(), std::clamp(wall, -kFarthest, kFarthest),
            Nanos::zero()};
  }

  // Looks of ours are missing in the file, and none of another process's is new in it.
  bool MemoryLeads(const Records& stored) const {
    return memory_is_ahead_ && stored.last_look == known_;
  }

  Records LookFromMemory(LookTime now, const Sightings& sightings) const {
    if (const auto& last = memory_.last_look)
      now.observed = last->observed + std::min(TrustedInterval(*last, now, true), longest_gap_);
    return Advance(memory_, now, sightings);
  }

  // The time is taken here, while no other process can look: intervals then never overlap.
  Records LookFromFile(const Records& stored, const Sightings& sightings) const {
    const LookTime now = Now();
    if (MemoryLeads(stored)) return LookFromMemory(now, sightings);
    LookTime counted = now;
    if (const auto& last = stored.last_look)
      counted.observed =
          last->observed + std::min(TrustedInterval(*last, now, IsOurs(*last)), longest_gap_);
    Records after = Advance(stored, counted, sightings);
    if (!memory_is_ahead_) return after;
    return MorePatient(std::move(after), LookFromMemory(now, sightings));
  }

  bool IsOurs(const LookTime& stored) const {
    return written_ && written_->boot_id == stored.boot_id && written_->steady == stored.steady &&
           written_->wall == stored.wall;
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
    auto opened = LedgerFile::Open(directory_);
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
  const std::string boot_id_;
  Nanos longest_gap_ = std::chrono::hours(24);
  std::unique_ptr<LedgerFile> file_;
  Records memory_;                   // after the last look
  bool memory_is_ahead_ = false;     // that look is not in the file
  std::optional<LookTime> written_;  // our last look in the file
  std::optional<LookTime> known_;    // the file's last look that memory knows of
  bool durable_ = false;
  Warnings warnings_;
};

}  // namespace

std::unique_ptr<Ledger> Ledger::Open(const fs::path& directory, const Clock& clock,
                                     std::string boot_id) {
  return std::make_unique<DurableLedger>(directory, clock, std::move(boot_id));
}

std::unique_ptr<Ledger> Ledger::InMemory(const Clock& clock) {
  return Open({}, clock, {});
}

}  // namespace imagesweep
