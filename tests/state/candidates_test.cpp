#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/state/ledger.h"
#include "tests/state/ledger_files.h"
#include "tests/support/fake_clock.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;

// One run: a look, then the evaluation.
std::vector<int> Count(Ledger& ledger, const std::vector<Image>& images,
                       const std::vector<bool>& candidate) {
  LookIdle(ledger, images);
  return ledger.CountCandidates(images, candidate);
}

class Candidates : public testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<Ledger> Open() {
    return GetParam() ? Ledger::Open(dir_.path(), clock_, "boot") : Ledger::InMemory(clock_);
  }
  TempDir dir_;
  FakeClock clock_;
};
INSTANTIATE_TEST_SUITE_P(Ledger, Candidates, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "File" : "Memory"; });

TEST_P(Candidates, AreCountedInARow) {
  const auto ledger = Open();
  const auto ab = Images({"a", "b"});
  EXPECT_THAT(Count(*ledger, ab, {true, false}), ElementsAre(1, 0));
  EXPECT_THAT(Count(*ledger, ab, {true, true}), ElementsAre(2, 1));
  EXPECT_THAT(Count(*ledger, ab, {false, true}), ElementsAre(0, 2));
  EXPECT_THAT(Count(*ledger, ab, {true, true}), ElementsAre(1, 3));
}

TEST_P(Candidates, ThatLeaveTheListStartOver) {
  const auto ledger = Open();
  const auto ab = Images({"a", "b"});
  Count(*ledger, ab, {true, true});
  Count(*ledger, Images({"a"}), {true});
  EXPECT_THAT(Count(*ledger, ab, {true, true}), ElementsAre(3, 1));
  LookIdle(*ledger, ab);
  ledger->CountCandidates(Images({"b"}), {true});
  EXPECT_THAT(Count(*ledger, ab, {true, true}), ElementsAre(1, 3)) << "of the evaluation's list";
}

TEST_P(Candidates, ThatAreListedTwiceMustBothBe) {
  const auto ledger = Open();
  const auto aa = Images({"a", "a"});
  EXPECT_THAT(Count(*ledger, aa, {true, true}), ElementsAre(1, 1));
  EXPECT_THAT(Count(*ledger, aa, {true, false}), ElementsAre(0, 0));
}

TEST_P(Candidates, KeepTheirCountThroughLooksAlone) {
  const auto ledger = Open();
  const auto a = Images({"a"});
  Count(*ledger, a, {true});
  ledger->Observe(a, {true});
  LookIdle(*ledger, a);
  EXPECT_THAT(ledger->CountCandidates(a, {true}), ElementsAre(2));
}

TEST_P(Candidates, ThatNoLookHasSeenAreNewEachTime) {
  const auto ledger = Open();
  const auto a = Images({"a"});
  EXPECT_THAT(ledger->CountCandidates(a, {true}), ElementsAre(1));
  EXPECT_THAT(ledger->CountCandidates(a, {true}), ElementsAre(1));
  EXPECT_THAT(ledger->CountCandidates(a, {false}), ElementsAre(0));
}

TEST(CandidatesInFile, AreRememberedAcrossARestart) {
  const TempDir dir;
  const FakeClock clock;
  const auto ab = Images({"a", "b"});
  for (int run = 1; run <= 4; ++run)
    EXPECT_THAT(Count(*Ledger::Open(dir.path(), clock, "boot"), ab, {true, run > 2}),
                ElementsAre(run, std::max(0, run - 2)));
}

TEST(CandidatesInFile, AreCountedByEveryProcess) {
  const TempDir dir;
  const FakeClock clock;
  const auto a = Images({"a"});
  const auto one = Ledger::Open(dir.path(), clock, "boot");
  const auto two = Ledger::Open(dir.path(), clock, "boot");
  EXPECT_THAT(Count(*one, a, {true}), ElementsAre(1));
  EXPECT_THAT(Count(*two, a, {true}), ElementsAre(2));
  LookIdle(*one, a);
  LookIdle(*two, a);
  EXPECT_THAT(two->CountCandidates(a, {true}), ElementsAre(3));
  EXPECT_THAT(one->CountCandidates(a, {true}), ElementsAre(4));
  Count(*two, a, {false});
  EXPECT_THAT(Count(*one, a, {true}), ElementsAre(1));
}

}  // namespace
}  // namespace imagesweep
