#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/state/age_store.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/state/age_store_files.h"
#include "tests/unit/state/faults.h"

namespace imagesweep {
namespace {

using std::chrono::seconds;
using testing::IsEmpty;

// An interrupted observation is in the file completely or not at all.
TEST_F(Faults, LeaveAWholeObservationOrNoneAfterAKill) {
  for (const Fault kind : {Fault::kKill, Fault::kTornWriteThenKill}) {
    int call = 1;
    for (bool killed = true; killed; ++call) {
      const TempDir dir;
      const FakeClock clock;
      for (int look = 0; look < 2; ++look) {
        LookIdle(*OpenCounting(dir.path(), clock, "boot"), Images({"idle", "used", "gone"}));
        clock.Advance(seconds(10));
      }
      killed = Killed(kind, call, [&] {
        OpenCounting(dir.path(), clock, "boot")
            ->Observe(Images({"idle", "used", "new"}), {false, true, false});
      });
      clock.Advance(seconds(10));
      const auto after = OpenCounting(dir.path(), clock, "boot");
      EXPECT_TRUE(after->durable());
      const auto ages = LookIdle(*after, Images({"idle", "used", "gone", "new"}));
      EXPECT_THAT(after->warnings(), IsEmpty());
      EXPECT_EQ(ages[0].unused_for, seconds(30)) << "call " << call;
      const bool recorded = ages[1].last_used.has_value();
      EXPECT_EQ(ages[1].unused_for, recorded ? seconds(0) : seconds(30)) << "call " << call;
      EXPECT_EQ(ages[2].unused_for, recorded ? seconds(0) : seconds(30)) << "call " << call;
      EXPECT_EQ(ages[2].just_seen, recorded);
      EXPECT_EQ(ages[3].unused_for, recorded ? seconds(10) : seconds(0)) << "call " << call;
      EXPECT_EQ(ages[3].just_seen, !recorded);
      EXPECT_TRUE(killed || recorded);
    }
    EXPECT_GT(call, 5) << "the look writes in several places";
  }
}

TEST_F(Faults, AProcessKilledWhileItMakesTheFileLeavesAUsableOne) {
  for (const Fault kind : {Fault::kKill, Fault::kTornWriteThenKill}) {
    int call = 1;
    for (bool killed = true; killed; ++call) {
      const TempDir dir;
      const FakeClock clock;
      killed = Killed(kind, call, [&] { OpenCounting(dir.path(), clock, "boot"); });
      const auto after = OpenCounting(dir.path(), clock, "boot");
      EXPECT_TRUE(after->durable()) << "call " << call;
      EXPECT_TRUE(LookIdle(*after, Images({"a"}))[0].just_seen);
      EXPECT_THAT(after->warnings(), IsEmpty()) << "call " << call;
    }
    EXPECT_GT(call, 5);
  }
}

// The disk is full from any write on, for one observation: the age store continues in memory, and
// then in the file.
TEST_F(Faults, AFullDiskCostsNothingButTheFile) {
  int call = 1;
  for (bool failed = true; failed; ++call) {
    const TempDir dir;
    const FakeClock clock;
    const auto age_store = OpenCounting(dir.path(), clock, "boot");
    LookIdle(*age_store, Images({"idle", "used", "gone"}));
    clock.Advance(seconds(10));

    Arm(Fault::kDiskFull, call);
    auto ages = age_store->Observe(Images({"idle", "used", "new"}), {false, true, false});
    Disarm();
    failed = !age_store->durable();
    EXPECT_EQ(ages[0].unused_for, seconds(10)) << "call " << call;
    EXPECT_EQ(ages[1].unused_for, seconds(0));
    EXPECT_TRUE(ages[2].just_seen);
    EXPECT_EQ(age_store->warnings().size(), failed ? 1U : 0U);

    clock.Advance(seconds(10));
    const auto images = Images({"idle", "used", "new", "gone"});
    ages = LookIdle(*age_store, images);
    EXPECT_TRUE(age_store->durable());
    const auto read_back = OpenCounting(dir.path(), clock, "boot");
    for (const auto& seen : {ages, LookIdle(*read_back, images)}) {
      EXPECT_EQ(seen[0].unused_for, seconds(20)) << "call " << call;
      EXPECT_EQ(seen[1].unused_for, seconds(0)) << "the use during the full disk is not forgotten";
      EXPECT_LE(seen[2].unused_for, seconds(10));
      EXPECT_EQ(seen[3].unused_for, seconds(0)) << "nor that it was gone";
    }
  }
  EXPECT_GT(call, 5);
}

// For any duration.
TEST_F(Faults, ADiskThatStaysFullDoesNotStopTheClock) {
  const TempDir dir;
  const FakeClock clock;
  const auto images = Images({"a"});
  const auto age_store = OpenCounting(dir.path(), clock, "boot");
  LookIdle(*age_store, images);
  Arm(Fault::kDiskFull);
  for (int look = 1; look <= 5; ++look) {
    clock.Advance(seconds(8));
    EXPECT_EQ(LookIdle(*age_store, images)[0].unused_for, seconds(8 * look));
    EXPECT_FALSE(age_store->durable());
  }
  Disarm();
  clock.Advance(seconds(8));
  EXPECT_EQ(LookIdle(*age_store, images)[0].unused_for, seconds(48));
  EXPECT_TRUE(age_store->durable());
  EXPECT_EQ(LookIdle(*OpenCounting(dir.path(), clock, "boot"), images)[0].unused_for, seconds(48));
}

TEST_F(Faults, ADiskThatIsFullAtTheStartIsUsedOnceItIsNot) {
  const TempDir dir;
  const FakeClock clock;
  Arm(Fault::kDiskFull, 1);
  const auto age_store = OpenCounting(dir.path(), clock, "boot");
  EXPECT_FALSE(age_store->durable());
  LookIdle(*age_store, Images({"a"}));
  clock.Advance(seconds(4));
  EXPECT_EQ(LookIdle(*age_store, Images({"a"}))[0].unused_for, seconds(4));
  Disarm();
  LookIdle(*age_store, Images({"a"}));
  EXPECT_TRUE(age_store->durable());
  clock.Advance(seconds(4));
  const auto other = OpenCounting(dir.path(), clock, "boot");
  EXPECT_LE(LookIdle(*other, Images({"a"}))[0].unused_for, seconds(8));
}

}  // namespace
}  // namespace imagesweep
