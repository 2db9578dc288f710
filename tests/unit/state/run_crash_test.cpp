#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <random>

#include "agent/state/age_store.h"
#include "agent/state/history.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/state/age_store_files.h"
#include "tests/unit/state/faults.h"
#include "tests/unit/state/history_files.h"

namespace imagesweep {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

// Everything that a run writes, in its order, chosen by a seed.
class Script {
 public:
  Script(std::uint64_t seed, std::string run) : random_(seed), run_(std::move(run)) {
    for (int i = 0; i < 30; ++i)
      if (OneIn(3) == 0) images_.push_back(Img("i" + std::to_string(i), {"a:1"}));
    std::vector<bool> in_use(images_.size());
    std::vector<bool> candidate(images_.size());
    for (std::size_t i = 0; i < images_.size(); ++i) {
      in_use[i] = OneIn(3) == 0;
      candidate[i] = !in_use[i] && OneIn(2) == 0;
    }
    steps_.emplace_back([=, this](AgeStore& age_store, History&) {
      age_store.Observe(images_, in_use);
      return age_store.durable();
    });
    steps_.emplace_back([=, this](AgeStore& age_store, History&) {
      age_store.CountCandidates(images_, candidate);
      return age_store.durable();
    });
    for (std::size_t i = 0; i < images_.size(); ++i)
      if (candidate[i] && OneIn(2) == 0) AddRemoval(images_[i].id.text(), OneIn(3) != 0);
    RunEntry entry = RunOf(run_, OneIn(2) == 0 ? "noop" : "success");
    entry.report.assign(OneIn(40'000), 'r');
    const int limit = static_cast<int>(OneIn(3));
    steps_.emplace_back([=](AgeStore&, History& history) {
      return static_cast<bool>(history.AddRun(entry, limit));
    });
  }

  // The first `most` steps. After each acknowledged step, one byte is written to `acknowledge`.
  void Play(const fs::path& directory, const Clock& clock, std::size_t most, int acknowledge) {
    const auto age_store = OpenCounting(directory, clock, "boot");
    const auto history = History::Open(directory, clock);
    for (std::size_t i = 0; i < most; ++i) {
      if (!steps_[i](*age_store, *history)) _exit(1);
      if (acknowledge >= 0 && write(acknowledge, "x", 1) != 1) _exit(1);
    }
  }
  std::size_t size() const { return steps_.size(); }
  // The expected journal of this run after the first `steps`, newest first.
  std::string JournalAfter(std::size_t steps) const {
    std::string text;
    for (const Asked& asked : asked_) {
      if (asked.step >= steps) continue;
      const bool settled = asked.step + 1 < steps;
      if (settled && !asked.removed) continue;
      text.insert(0, run_ + ' ' + asked.id + (settled ? " done\n" : " asked\n"));
    }
    return text;
  }

 private:
  struct Asked {
    std::size_t step = 0;
    std::string id;
    bool removed = false;
  };
  using Step = std::function<bool(AgeStore&, History&)>;

  std::uint64_t OneIn(std::uint64_t n) { return random_() % n; }
  void AddRemoval(const std::string& id, bool removed) {
    RemovalEntry entry = Removal(run_, "x");
    entry.id = id;
    asked_.push_back({steps_.size(), id, removed});
    steps_.emplace_back([=](AgeStore&, History& history) {
      return static_cast<bool>(history.BeginRemoval(entry));
    });
    steps_.emplace_back([=, run = run_](AgeStore&, History& history) {
      return static_cast<bool>(history.Commit(run, id, removed));
    });
  }

  std::mt19937_64 random_;
  const std::string run_;
  std::vector<Image> images_;
  std::vector<Step> steps_;
  std::vector<Asked> asked_;
};

std::string Journal(History& history, const std::string& run) {
  std::string text;
  for (const auto& removal : Value(history.Removals(run)))
    text += removal.run + ' ' + removal.id + (removal.done ? " done\n" : " asked\n");
  return text;
}

// The content of both files after any repair.
std::string Dump(const fs::path& directory, const Clock& clock) {
  const auto age_store = OpenCounting(directory, clock, "boot");
  const auto history = History::Open(directory, clock);
  EXPECT_TRUE(age_store->durable());
  EXPECT_THAT(age_store->warnings(), IsEmpty());
  EXPECT_THAT(history->warnings(), IsEmpty());
  std::string text = Rows(directory / "ledger.db", "SELECT * FROM look") +
                     Rows(directory / "ledger.db", "SELECT * FROM image");
  text += Journal(*history, "");
  for (const auto& run : Value(history->Runs())) {
    const auto whole = Value(history->Find(run.run));
    EXPECT_TRUE(whole);
    text += run.run + ' ' + run.result + ' ' + std::to_string(run.times) + ' ' +
            (whole ? std::to_string(whole->report.size()) : "") + '\n';
  }
  return text;
}

class RunFaults : public Faults, public testing::WithParamInterface<int> {
 protected:
  // A directory before the run and after each of its steps.
  void Prepare(std::uint64_t seed) {
    fs::remove_all(before_.path() / "state");
    fs::create_directory(before_.path() / "state");
    for (std::uint64_t earlier = 0; earlier < seed % 4; ++earlier) {
      Script script(seed * 100 + earlier, "run-" + std::to_string(earlier));
      script.Play(before_.path() / "state", clock_, script.size(), -1);
      clock_.Advance(std::chrono::seconds(10));
    }
    script_.emplace(seed, "run-x");
    expected_.clear();
    for (std::size_t steps = 0; steps <= script_->size(); ++steps) {
      Restore();
      script_->Play(state(), clock_, steps, -1);
      expected_.push_back(Dump(state(), clock_));
      EXPECT_EQ(Journal(*History::Open(state(), clock_), "run-x"), script_->JournalAfter(steps));
    }
  }
  fs::path state() const { return now_.path() / "state"; }
  void Restore() {
    fs::remove_all(state());
    fs::copy(before_.path() / "state", state());
  }
  // Runs it with a fault. Then the files show the result of an acknowledged step or of the step in
  // progress: no age or count grew, no intent is lost, and nothing is partial.
  bool KilledAt(Fault fault, int call) {
    Restore();
    int acknowledged[2];
    EXPECT_EQ(pipe(acknowledged), 0);
    const bool killed = Killed(
        fault, call, [&] { script_->Play(state(), clock_, script_->size(), acknowledged[1]); });
    close(acknowledged[1]);
    std::string bytes(1000, ' ');
    const auto count = read(acknowledged[0], bytes.data(), bytes.size());
    close(acknowledged[0]);
    EXPECT_GE(count, 0);
    const auto done = static_cast<std::size_t>(count);
    EXPECT_EQ(done == script_->size(), !killed);
    const std::string found = Dump(state(), clock_);
    const bool as_done = found == expected_.at(done);
    const bool one_more = killed && found == expected_.at(done + 1);
    EXPECT_TRUE(as_done || one_more) << "call " << call << " after step " << done << "\n" << found;
    for (const auto& entry : fs::directory_iterator(state()))
      EXPECT_NE(entry.path().extension(), ".bad") << entry.path();
    return killed;
  }

  TempDir before_;
  TempDir now_;
  FakeClock clock_;
  std::optional<Script> script_;
  std::vector<std::string> expected_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, RunFaults, testing::Range(0, 20));

TEST_P(RunFaults, KeepAcknowledgedWritesAfterAKillAtAnyWrite) {
  Prepare(static_cast<std::uint64_t>(GetParam()));
  int call = 1;
  while (KilledAt(Fault::kKill, call)) ++call;
  EXPECT_GT(call, 20) << "a run writes in many places";
}

TEST_P(RunFaults, KeepAcknowledgedWritesAfterAKillWithinAnyWrite) {
  Prepare(static_cast<std::uint64_t>(GetParam()) + 20);
  int call = 1;
  while (KilledAt(Fault::kTornWriteThenKill, call)) ++call;
  EXPECT_GT(call, 20);
}

}  // namespace
}  // namespace imagesweep
