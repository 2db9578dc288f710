#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/state/age_store.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/state/age_store_files.h"
#include "tests/unit/state/faults.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;

// One run: an observation, then the evaluation.
std::vector<int> CountOnce(AgeStore& age_store, const std::vector<Image>& images,
                           const std::vector<bool>& candidate) {
  LookIdle(age_store, images);
  return age_store.CountCandidates(images, candidate);
}

class Candidates : public testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<AgeStore> Open() {
    return GetParam() ? OpenCounting(dir_.path(), clock_, "boot") : AgeStore::InMemory(clock_);
  }
  TempDir dir_;
  FakeClock clock_;
};
INSTANTIATE_TEST_SUITE_P(AgeStore, Candidates, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "File" : "Memory"; });

TEST_P(Candidates, AreCountedInARow) {
  const auto age_store = Open();
  const auto ab = Images({"a", "b"});
  EXPECT_THAT(CountOnce(*age_store, ab, {true, false}), ElementsAre(1, 0));
  EXPECT_THAT(CountOnce(*age_store, ab, {true, true}), ElementsAre(2, 1));
  EXPECT_THAT(CountOnce(*age_store, ab, {false, true}), ElementsAre(0, 2));
  EXPECT_THAT(CountOnce(*age_store, ab, {true, true}), ElementsAre(1, 3));
}

TEST_P(Candidates, StartOverWhenTheyLeaveTheList) {
  const auto age_store = Open();
  const auto ab = Images({"a", "b"});
  CountOnce(*age_store, ab, {true, true});
  CountOnce(*age_store, Images({"a"}), {true});
  EXPECT_THAT(CountOnce(*age_store, ab, {true, true}), ElementsAre(3, 1));
  LookIdle(*age_store, ab);
  age_store->CountCandidates(Images({"b"}), {true});
  EXPECT_THAT(CountOnce(*age_store, ab, {true, true}), ElementsAre(1, 3))
      << "of the evaluation's list";
}

TEST_P(Candidates, CountOnlyWhenBothEntriesAreCandidates) {
  const auto age_store = Open();
  const auto aa = Images({"a", "a"});
  EXPECT_THAT(CountOnce(*age_store, aa, {true, true}), ElementsAre(1, 1));
  EXPECT_THAT(CountOnce(*age_store, aa, {true, false}), ElementsAre(0, 0));
}

TEST_P(Candidates, KeepTheirCountWhenOnlyObserved) {
  const auto age_store = Open();
  const auto a = Images({"a"});
  CountOnce(*age_store, a, {true});
  age_store->Observe(a, {true});
  LookIdle(*age_store, a);
  EXPECT_THAT(age_store->CountCandidates(a, {true}), ElementsAre(2));
}

TEST_P(Candidates, AreNewEachTimeWithoutAnObservation) {
  const auto age_store = Open();
  const auto a = Images({"a"});
  EXPECT_THAT(age_store->CountCandidates(a, {true}), ElementsAre(1));
  EXPECT_THAT(age_store->CountCandidates(a, {true}), ElementsAre(1));
  EXPECT_THAT(age_store->CountCandidates(a, {false}), ElementsAre(0));
}

TEST(CandidatesInFile, AreRememberedAcrossARestart) {
  const TempDir dir;
  const FakeClock clock;
  const auto ab = Images({"a", "b"});
  for (int run = 1; run <= 4; ++run)
    EXPECT_THAT(CountOnce(*OpenCounting(dir.path(), clock, "boot"), ab, {true, run > 2}),
                ElementsAre(run, std::max(0, run - 2)));
}

TEST(CandidatesInFile, AreCountedByEveryProcess) {
  const TempDir dir;
  const FakeClock clock;
  const auto a = Images({"a"});
  const auto one = OpenCounting(dir.path(), clock, "boot");
  const auto two = OpenCounting(dir.path(), clock, "boot");
  EXPECT_THAT(CountOnce(*one, a, {true}), ElementsAre(1));
  EXPECT_THAT(CountOnce(*two, a, {true}), ElementsAre(2));
  LookIdle(*one, a);
  LookIdle(*two, a);
  EXPECT_THAT(two->CountCandidates(a, {true}), ElementsAre(3));
  EXPECT_THAT(one->CountCandidates(a, {true}), ElementsAre(4));
  CountOnce(*two, a, {false});
  EXPECT_THAT(CountOnce(*one, a, {true}), ElementsAre(1));
}

class CandidatesAndFaults : public Faults {
 protected:
  // Three runs in which both were candidates.
  void SetUp() override {
    Faults::SetUp();
    for (int run = 1; run <= 3; ++run)
      ASSERT_THAT(Count(*age_store_, ab_, {true, true}), ElementsAre(run, run));
  }
  std::vector<int> Count(AgeStore& age_store, const std::vector<Image>& images,
                         const std::vector<bool>& candidate) {
    clock_.Advance(Millis(1));
    return CountOnce(age_store, images, candidate);
  }
  std::unique_ptr<AgeStore> Reopen() { return OpenCounting(dir_.path(), clock_, "boot"); }

  TempDir dir_;
  FakeClock clock_;
  const std::vector<Image> ab_ = Images({"a", "b"});
  std::unique_ptr<AgeStore> age_store_ = Reopen();
};

// Images must be removed when the disk is full: the counts continue from any failed write, and are
// correct afterwards.
TEST_F(CandidatesAndFaults, GoOnWhileTheDiskIsFull) {
  int a = 3;
  int call = 1;
  for (bool failed = true; failed; ++call) {
    Arm(Fault::kDiskFull, call);
    for (int run = 0; run < 3; ++run)
      EXPECT_THAT(Count(*age_store_, ab_, {true, false}), ElementsAre(++a, 0)) << "call " << call;
    failed = !age_store_->durable();
    Arm(Fault::kDiskFull);
    EXPECT_THAT(Count(*age_store_, ab_, {true, true}), ElementsAre(++a, 1));
    EXPECT_THAT(Count(*age_store_, ab_, {true, true}), ElementsAre(++a, 2)) << "a new one as well";
    Disarm();
    EXPECT_THAT(Count(*age_store_, ab_, {true, true}), ElementsAre(++a, 3))
        << "not from the older count of b in the file";
    EXPECT_TRUE(age_store_->durable());
    EXPECT_THAT(Count(*Reopen(), ab_, {true, true}), ElementsAre(++a, 4));
    LookIdle(*age_store_, ab_);
  }
  EXPECT_GT(call, 5);
}

TEST_F(CandidatesAndFaults, AreTheFewerOfTwoProcessesAfterAFullDisk) {
  const auto other = Reopen();
  Arm(Fault::kDiskFull);
  EXPECT_THAT(Count(*age_store_, ab_, {false, true}), ElementsAre(0, 4));
  EXPECT_THAT(Count(*age_store_, ab_, {true, true}), ElementsAre(1, 5));
  Disarm();
  EXPECT_THAT(Count(*other, ab_, {true, false}), ElementsAre(4, 0)) << "it cannot know";
  EXPECT_THAT(Count(*age_store_, ab_, {true, true}), ElementsAre(2, 1));
  EXPECT_THAT(Count(*other, ab_, {true, true}), ElementsAre(3, 2));
}

TEST_F(CandidatesAndFaults, StartOverWhenTheFileCannotBeRead) {
  const auto other = Reopen();
  ASSERT_THAT(Count(*other, ab_, {false, true}), ElementsAre(0, 4));
  std::filesystem::rename(dir_.file(), dir_.path() / "kept");
  std::filesystem::create_directory(dir_.file());
  EXPECT_THAT(Count(*age_store_, ab_, {true, true}), ElementsAre(1, 1)) << "a was none in between";
  EXPECT_THAT(Count(*age_store_, ab_, {true, true}), ElementsAre(2, 2)) << "counted in memory";
  std::filesystem::remove(dir_.file());
  std::filesystem::rename(dir_.path() / "kept", dir_.file());
  EXPECT_THAT(Count(*age_store_, ab_, {true, true}), ElementsAre(1, 3));
  EXPECT_TRUE(age_store_->durable());
}

TEST_F(CandidatesAndFaults, StartOverWhenTheFileIsLost) {
  WriteBytes(dir_.file(), "garbage that is no database at all");
  EXPECT_THAT(Count(*Reopen(), ab_, {true, true}), ElementsAre(1, 1));
}

}  // namespace
}  // namespace imagesweep
