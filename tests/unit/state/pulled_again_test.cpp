#include "agent/state/history.h"

#include <gmock/gmock.h>

#include "tests/support/observation.h"
#include "tests/unit/state/history_files.h"

namespace imagesweep {
namespace {

constexpr Millis kRun{1'000};  // the duration of a run
constexpr Millis kHour = std::chrono::hours(1);

SystemTime At(Millis since) {
  return SystemTime(std::chrono::seconds(1'700'000'000)) + since;
}

RunEntry RunAt(const char* run, Millis since, const char* result = "success") {
  RunEntry entry = RunOf(run, result);
  entry.started = At(since);
  entry.finished = entry.started + kRun;
  return entry;
}

RemovalEntry RemovedAt(const char* run, Millis since) {
  RemovalEntry entry = Gone(Removal(run, "app"));
  entry.at = At(since);
  return entry;
}

// A run that lists the image, which the age store first saw at that time.
Report Listing(const char* run, Millis since, Millis first_seen) {
  Report report;
  report.run = run;
  report.started = At(since);
  ObservationBuilder seen;
  seen.Add(Img("other", {"other:1"})).Add(Img("app", {"app:1"}));
  report.observation = seen.seen();
  report.observation.ages[ImagePos(1)].first_seen = At(first_seen);
  return report;
}

std::string Text(const std::vector<PulledAgain>& found) {
  std::string text;
  for (const PulledAgain& again : found)
    text += std::to_string(again.image.value()) + " x" + std::to_string(again.times) + " " +
            again.code + (again.since_last_run ? " new" : "");
  return text;
}

TEST(PulledAgain, IsNewToTheFirstRunThatSeesTheImageBack) {
  struct {
    const char* why;
    std::vector<RemovalEntry> removals;
    std::vector<RunEntry> runs;
    Report report;
    const char* found;
  } const cases[] = {
      {"nothing was removed", {}, {RunAt("1", -kHour)}, Listing("2", Millis(0), -kHour), ""},
      {"back before the next run, so that the ledger never missed it",
       {RemovedAt("1", -kHour)},
       {RunAt("1", -kHour)},
       Listing("2", Millis(0), -9 * kHour),
       "1 x1 Superseded new"},
      {"back after runs without it",
       {RemovedAt("1", -3 * kHour)},
       {RunAt("2", -kHour, "noop"), RunAt("1", -3 * kHour)},
       Listing("3", Millis(0), Millis(5)),
       "1 x1 Superseded new"},
      {"seen by somebody else's look since the last run",
       {RemovedAt("1", -3 * kHour)},
       {RunAt("2", -kHour, "noop"), RunAt("1", -3 * kHour)},
       Listing("3", Millis(0), -kHour + kRun + Millis(1)),
       "1 x1 Superseded new"},
      {"the last run saw it back already",
       {RemovedAt("1", -3 * kHour)},
       {RunAt("2", -kHour, "noop"), RunAt("1", -3 * kHour)},
       Listing("3", Millis(0), -kHour + Millis(3)),
       "1 x1 Superseded"},
      {"a refused run in between saw nothing",
       {RemovedAt("1", -3 * kHour)},
       {RunAt("2", -kHour, "error"), RunAt("1", -3 * kHour)},
       Listing("3", Millis(0), -9 * kHour),
       "1 x1 Superseded new"},
      {"removed by a run that was refused later on",
       {RemovedAt("2", -kHour)},
       {RunAt("2", -kHour, "error"), RunAt("1", -3 * kHour)},
       Listing("3", Millis(0), -9 * kHour),
       "1 x1 Superseded new"},
      {"removed twice: one of them is new",
       {RemovedAt("2", -kHour), RemovedAt("1", -3 * kHour)},
       {RunAt("2", -kHour), RunAt("1", -3 * kHour)},
       Listing("3", Millis(0), -9 * kHour),
       "1 x2 Superseded new"},
      {"no runs are kept: the ledger alone tells",
       {RemovedAt("1", -3 * kHour)},
       {},
       Listing("3", Millis(0), Millis(0)),
       "1 x1 Superseded"},
      {"a week ago",
       {RemovedAt("1", -168 * kHour)},
       {RunAt("1", -168 * kHour)},
       Listing("2", Millis(0), Millis(0)),
       "1 x1 Superseded new"},
      {"more than a week ago",
       {RemovedAt("1", -168 * kHour - Millis(1))},
       {RunAt("1", -168 * kHour - Millis(1))},
       Listing("2", Millis(0), Millis(0)),
       ""},
      {"this run's own removal",
       {RemovedAt("2", Millis(0))},
       {RunAt("1", -kHour)},
       Listing("2", Millis(0), -9 * kHour),
       ""},
  };
  for (const auto& [why, removals, runs, report, found] : cases)
    EXPECT_EQ(Text(FindPulledAgain(removals, runs, report)), found) << why;
}

TEST(PulledAgain, IgnoresAnUnfinishedRemoval) {
  RemovalEntry intended = RemovedAt("1", -kHour);
  intended.done = false;
  EXPECT_EQ(Text(FindPulledAgain({intended}, {}, Listing("2", Millis(0), Millis(0)))), "");
}

// An older version wrote such entries. An image that lost a tag was never removed.
TEST(PulledAgain, AnImageThatOnlyLostATagWasNotRemoved) {
  RemovalEntry entry = RemovedAt("1", -kHour);
  EXPECT_NE(Text(FindPulledAgain({entry}, {}, Listing("2", Millis(0), Millis(0)))), "");
  entry.code = kUntagCode;
  EXPECT_EQ(Text(FindPulledAgain({entry}, {}, Listing("2", Millis(0), Millis(0)))), "");
}

TEST(PulledAgain, IgnoresAnotherImageOfTheSameName) {
  RemovalEntry removal = RemovedAt("1", -kHour);
  removal.id = Id("app before");
  EXPECT_EQ(Text(FindPulledAgain({removal}, {}, Listing("2", Millis(0), Millis(0)))), "");
}

TEST(PulledAgain, ARefusedRunFindsNone) {
  Report report = Listing("2", Millis(0), Millis(0));
  report.refused = Refusal{"pods", {ErrorKind::kDenied, "403"}};
  report.observation.ages.clear();
  EXPECT_EQ(Text(FindPulledAgain({RemovedAt("1", -kHour)}, {}, report)), "");
}

// A complete story: each run has the journal and the history that the previous ones left.
TEST(PulledAgain, IsNewOncePerRemoval) {
  std::vector<RemovalEntry> removals{RemovedAt("1", kHour)};
  std::vector<RunEntry> runs{RunAt("1", kHour)};
  int counted = 0;
  Millis first_seen(0);
  for (int run = 2; run < 12; ++run) {
    const Millis now = run * kHour;
    const std::string name = std::to_string(run);
    if (run == 4) first_seen = now;  // runs 2 and 3 did not list it
    if (run != 2 && run != 3)
      for (const auto& again :
           FindPulledAgain(removals, runs, Listing(name.c_str(), now, first_seen)))
        counted += again.since_last_run ? 1 : 0;
    if (run == 7) removals.insert(removals.begin(), RemovedAt("7", now));  // and pulled before 8
    runs.insert(runs.begin(), RunAt(name.c_str(), now, run == 7 ? "success" : "noop"));
  }
  EXPECT_EQ(counted, 2);
}

}  // namespace
}  // namespace imagesweep
