#include "agent/gc/plan/free_space_target.h"

#include <gmock/gmock.h>

#include "agent/gc/plan/defer.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

using std::chrono::hours;
using testing::HasSubstr;
using testing::IsEmpty;

// app:3 is used, app:2 is kept for rollback, app:1 is superseded, one is untagged, two are idle,
// and one is young.
struct FreeSpaceTargetTest : testing::Test {
  FreeSpaceTargetTest() {
    builder.Add(Img("3", {"app:3"}, 100))
        .Add(Img("2", {"app:2"}, 100), hours(300))
        .Add(Img("1", {"app:1"}, 100), hours(300))
        .Add(Img("u", {}, 100), hours(300))
        .Add(Img("newer", {"idle:1"}, 100), hours(10), true)
        .Add(Img("older", {"other:1"}, 100), hours(20), true)
        .Add(Img("young", {"young:1"}, 100), Millis(1));
    builder.seen().ages[ImagePos(3)].lost_tag = true;
    builder.Use("app:3");
    builder.Disk(10'000, 1'000);
    policy.keep.last_per_repository = 2;
    policy.maximum_age = Millis(0);
    policy.keep.local_only = LocalOnly::kNever;
    policy.disk.high_percent = 0;
  }
  Plan For(std::uint64_t wanted) {
    const PlanContext context(policy, builder.seen());
    Plan plan = PlanForFreeSpace(context, wanted);
    Defer(context, {}, plan);
    return plan;
  }
  ObservationBuilder builder;
  Policy policy = [] {
    Policy all = Policy::Default();
    all.limits.max_percent_of_images = 100;
    return all;
  }();
};

TEST_F(FreeSpaceTargetTest, RemovesSafestImagesFirstAndNeverProtectedOnes) {
  EXPECT_EQ(For(5'000).removals, ImagesAt(3, 2, 5, 4));
}

TEST_F(FreeSpaceTargetTest, RemovesNothingWhenEnoughSpaceIsAvailable) {
  const Plan plan = For(1'000);
  EXPECT_THAT(plan.removals, IsEmpty());
  EXPECT_EQ(plan.decisions[ImagePos(3)].verdict, Verdict::kDefer);
  EXPECT_THAT(plan.decisions[ImagePos(3)].reason, HasSubstr("are already available"));
}

TEST_F(FreeSpaceTargetTest, RemovesNothingWhenTheDiskUsageIsUnknown) {
  builder.seen().disk.reset();
  EXPECT_THAT(For(1ULL << 40).removals, IsEmpty());
}

TEST_F(FreeSpaceTargetTest, RemovesNothingWhenTheTargetExceedsTheCapacity) {
  const Plan plan = For(10'001);
  EXPECT_THAT(plan.removals, IsEmpty());
  EXPECT_THAT(plan.decisions[ImagePos(3)].reason,
              HasSubstr("capacity of the image filesystem is only 9.8KiB"));
}

TEST_F(FreeSpaceTargetTest, IgnoresWindowsButObeysLimits) {
  policy.windows = {Window{}};  // with no length
  policy.limits.max_images = 1;
  const Plan plan = For(5'000);
  EXPECT_EQ(plan.removals, ImagesAt(3));
  EXPECT_EQ(plan.decisions[ImagePos(2)].code, Code::kLimit);
}

TEST_F(FreeSpaceTargetTest, DefersAnUnavailableImage) {
  builder.seen().unavailable = {"", "", "", "its removal failed", "", "its removal failed", ""};
  const Plan plan = For(5'000);
  EXPECT_EQ(plan.removals, ImagesAt(2, 4));
  EXPECT_EQ(plan.decisions[ImagePos(5)].code, Code::kLimit);
  EXPECT_THAT(plan.decisions[ImagePos(5)].reason, HasSubstr("its removal failed"));
}

}  // namespace
}  // namespace imagesweep
