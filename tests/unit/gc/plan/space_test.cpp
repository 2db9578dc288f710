#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/gc/plan/defer.h"
#include "agent/gc/plan/explain.h"
#include "agent/gc/plan/planner.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::AllOf;
using testing::HasSubstr;

Policy ForSpace() {
  Policy policy;
  policy.minimum_age = hours(1);
  policy.maximum_age = Millis(0);
  policy.remove_superseded = false;
  policy.disk = {{75, 65}, {75, 65}, {82, minutes(5)}};
  policy.limits.max_percent_of_images = 100;
  return policy;
}

Image Sized(const char* tag, std::uint64_t bytes) {
  Image image = Img(tag, {tag});
  image.size_bytes = bytes;
  return image;
}

Code CodeOf(const Plan& plan, ImagePos at) {
  return plan.decisions[at].code;
}

// K09: inodes as well as bytes, down to the low threshold.
TEST(Space, InodesCountLikeBytes) {
  ObservationBuilder seen;
  for (const char* tag : {"a:1", "b:1", "c:1", "d:1"}) seen.Add(Sized(tag, 25), hours(2));
  seen.Disk(1000, 900);
  seen.seen().disk->inodes = 1000;
  seen.seen().disk->inodes_free = 200;  // 80 %; 150 to free, and each image has a quarter of 800
  const Plan plan = MakePlan(ForSpace(), seen.seen());
  ASSERT_EQ(plan.removals.size(), 1U);
  EXPECT_EQ(CodeOf(plan, plan.removals[0]), Code::kSpace);
  EXPECT_THAT(plan.decisions[plan.removals[0]].reason,
              HasSubstr("inode use 80% is at or above 75%"));

  Policy off = ForSpace();
  off.disk.inodes.high_percent = 0;
  EXPECT_TRUE(MakePlan(off, seen.seen()).removals.empty());
}

// At critical disk use, younger images and versions kept for rollback are removed, but only after
// idle ones, not below the critical minimum age, and never protected images.
TEST(Space, RemovesYoungAndRollbackImagesButNoProtectedOnesWhenCritical) {
  ObservationBuilder seen;
  seen.Add(Sized("idle:1", 10), hours(9));
  seen.Add(Sized("young:1", 10), minutes(6));
  seen.Add(Sized("newborn:1", 10), minutes(4));
  seen.Add(Sized("app:1", 10), hours(9));  // retained
  seen.Add(Sized("app:2", 10), hours(0));
  seen.Use("app:2");
  seen.Add(Sized("kept:1", 10), minutes(6));
  Image local = Sized("local:1", 10);
  MakeLocal(local);
  seen.Add(local, minutes(6));
  Policy policy = ForSpace();
  policy.keep.images = {*ImageGlob::Parse("kept")};
  policy.windows = {{{}, minutes(0), minutes(1), "Mars/Base"}};  // closed

  seen.Disk(1000, 190);  // 81 %
  const Plan pressed = MakePlan(policy, seen.seen());
  EXPECT_EQ(CodeOf(pressed, ImagePos(0)), Code::kWindow);
  EXPECT_TRUE(pressed.removals.empty());
  EXPECT_EQ(CodeOf(pressed, ImagePos(1)), Code::kTooYoung);
  EXPECT_EQ(WindowOverride(PlanContext(policy, seen.seen()), pressed), "");

  seen.Disk(1000, 150);  // 85 %: 40 to free, down to 81 %
  const Plan critical = MakePlan(policy, seen.seen());
  EXPECT_EQ(CodeOf(critical, ImagePos(0)), Code::kSpace);
  EXPECT_EQ(CodeOf(critical, ImagePos(1)), Code::kCritical);
  EXPECT_EQ(CodeOf(critical, ImagePos(2)), Code::kTooYoung);
  EXPECT_EQ(CodeOf(critical, ImagePos(3)), Code::kCritical);
  EXPECT_EQ(CodeOf(critical, ImagePos(4)), Code::kInUse);
  EXPECT_EQ(CodeOf(critical, ImagePos(5)), Code::kKeepRule);
  EXPECT_EQ(CodeOf(critical, ImagePos(6)), Code::kLocalOnly);
  EXPECT_EQ(critical.removals.front(), ImagePos(0)) << "idle ones first";
  EXPECT_THAT(critical.decisions[ImagePos(3)].reason, HasSubstr("otherwise kept: 2nd newest of "));

  const PlanContext context(policy, seen.seen());
  EXPECT_THAT(WindowOverride(context, critical),
              AllOf(HasSubstr("no window is open"), HasSubstr("disk use 85%")));
  Policy open = policy;
  open.windows.clear();
  EXPECT_EQ(WindowOverride(PlanContext(open, seen.seen()), critical), "")
      << "there is none to override";
  const Explanation why = Explain(context, critical, ImagePos(1));
  for (const Step& step : why.steps)
    EXPECT_EQ(step.decides, step.code == Code::kCritical) << ToString(step.code);

  policy.disk.critical.threshold_percent = 0;
  EXPECT_TRUE(MakePlan(policy, seen.seen()).removals.empty());
}

TEST(Space, DisablesCriticalByDefault) {
  for (const Profile profile : {Profile::kConservative, Profile::kBalanced, Profile::kAggressive}) {
    ObservationBuilder seen;
    seen.Add(Sized("young:1", 10), minutes(6)).Disk(1000, 10);
    Policy policy = Policy::Default(profile);
    policy.limits.max_percent_of_images = 100;
    EXPECT_EQ(policy.disk.critical.threshold_percent, 0) << ToString(profile);
    EXPECT_TRUE(MakePlan(policy, seen.seen()).removals.empty()) << ToString(profile);
  }
}

// A rule has its own numbers if those of the policy are too short, above all on a full disk.
TEST(Space, KeepsTheMinimumAgeAndKeepLastOfARuleWhenCritical) {
  ObservationBuilder seen;
  seen.Add(Sized("models:1", 10), minutes(30));
  seen.Add(Sized("tools:1", 10), hours(9)).Add(Sized("tools:2", 10), hours(8));
  seen.Add(Sized("other:1", 10), minutes(30));
  seen.Add(Sized("app:1", 10), hours(9)).Add(Sized("app:2", 10), hours(0)).Use("app:2");
  seen.Disk(1000, 10);
  Policy policy = ForSpace();
  Rule models, tools;
  models.name = "models";
  models.selector.images = {*ImageGlob::Parse("models")};
  models.minimum_age = hours(24 * 7);
  tools.name = "tools";
  tools.selector.images = {*ImageGlob::Parse("tools")};
  tools.keep_last = 2;
  policy.rules = {models, tools};
  const Plan plan = MakePlan(policy, seen.seen());
  EXPECT_EQ(CodeOf(plan, ImagePos(0)), Code::kTooYoung);
  EXPECT_EQ(CodeOf(plan, ImagePos(1)), Code::kRetained);
  EXPECT_EQ(CodeOf(plan, ImagePos(2)), Code::kRetained);
  EXPECT_EQ(CodeOf(plan, ImagePos(3)), Code::kCritical) << "the policy's own minimumAge gives way";
  EXPECT_EQ(CodeOf(plan, ImagePos(4)), Code::kCritical)
      << "the policy's own lastPerRepository gives way";
}

TEST(Space, StopsAtTheGoalWhenCritical) {
  ObservationBuilder seen;
  for (const char* tag : {"a:1", "b:1", "c:1"}) seen.Add(Sized(tag, 100), minutes(10));
  seen.Disk(1000, 50);  // 140 to free until it is not critical, 300 to the low threshold
  EXPECT_EQ(MakePlan(ForSpace(), seen.seen()).removals.size(), 2U);
}

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

// The least recently used image never fits, so the next ones are removed.
TEST(Space, PassesOverAnImageThatIsLargerThanMaxBytes) {
  ObservationBuilder seen;
  seen.Add(Sized("big:1", 9 * kGiB), hours(9));
  for (const char* tag : {"a:1", "b:1", "c:1"}) seen.Add(Sized(tag, 3 * kGiB), hours(8));
  seen.Disk(40 * kGiB, 8 * kGiB);  // 80 %: 6 GiB to free
  Policy policy = ForSpace();
  policy.disk.inodes.high_percent = 0;
  policy.limits.max_bytes = 5 * kGiB;
  const Plan plan = MakePlan(policy, seen.seen());
  EXPECT_EQ(plan.removals, ImagesAt(1));
  EXPECT_EQ(CodeOf(plan, ImagePos(0)), Code::kLimit);
  EXPECT_THAT(plan.decisions[ImagePos(0)].reason,
              HasSubstr("its size 9.0GiB is more than limits.maxBytes 5.0GiB allows in one run"));
}

TEST(Space, PicksOthersForImagesThatAreUnavailable) {
  ObservationBuilder seen;
  for (const char* tag : {"a:1", "b:1", "c:1", "d:1"}) seen.Add(Sized(tag, 100), hours(9));
  seen.Disk(1000, 150);  // 200 to free
  Policy policy = ForSpace();
  policy.disk.critical.threshold_percent = 0;
  seen.seen().unavailable = {"its removal failed; it is retried in 9m", "", "", ""};
  const Plan plan = MakePlan(policy, seen.seen());
  EXPECT_EQ(plan.removals, ImagesAt(1, 2));
  EXPECT_EQ(CodeOf(plan, ImagePos(0)), Code::kLimit);
  EXPECT_THAT(plan.decisions[ImagePos(0)].reason,
              HasSubstr("but its removal failed; it is retried in 9m"));
  EXPECT_EQ(CodeOf(plan, ImagePos(3)), Code::kIdle);
}

TEST(Defer, DefersEverythingOutsideTheWindows) {
  ObservationBuilder seen;
  seen.Add(Sized("a:1", 1), hours(500));
  seen.seen().at = SystemTime(hours(24 * 365 * 50));
  Policy policy = ForSpace();
  policy.maximum_age = hours(100);
  policy.windows = {{{}, minutes(60), minutes(120), "UTC"}};
  const Plan closed = MakePlan(policy, seen.seen());
  EXPECT_EQ(closed.decisions[ImagePos(0)].verdict, Verdict::kDefer);
  EXPECT_EQ(CodeOf(closed, ImagePos(0)), Code::kWindow);
  EXPECT_THAT(closed.decisions[ImagePos(0)].reason, HasSubstr("candidate (Age: "));
  EXPECT_THAT(closed.decisions[ImagePos(0)].reason, HasSubstr("T01:00:00.000Z"));
  EXPECT_THAT(closed.decisions[ImagePos(0)].waits_for,
              testing::StartsWith("the next window opens at "));
  seen.seen().at += minutes(60);
  EXPECT_EQ(CodeOf(MakePlan(policy, seen.seen()), ImagePos(0)), Code::kAge);
}

TEST(Defer, DefersAnImageUntilConfirmRunsIsReached) {
  ObservationBuilder seen;
  seen.Add(Sized("a:1", 1), hours(500)).Add(Sized("b:1", 1), hours(500));
  Policy policy = ForSpace();
  policy.maximum_age = hours(100);
  policy.limits.confirm_runs = 2;
  const PlanContext context(policy, seen.seen());
  Plan plan = PlanWithDiskPressure(context);
  ASSERT_EQ(plan.removals.size(), 2U);
  Defer(context, ByImage<int>{1, 2}, plan);
  EXPECT_EQ(plan.removals, ImagesAt(1));
  EXPECT_EQ(CodeOf(plan, ImagePos(0)), Code::kLimit);
  EXPECT_THAT(plan.decisions[ImagePos(0)].reason, HasSubstr("in 1 of 2 evaluations in a row"));
  EXPECT_EQ(plan.decisions[ImagePos(0)].runs_to_confirm, 1);
  EXPECT_EQ(plan.decisions[ImagePos(1)].runs_to_confirm, 0);
}

TEST(Defer, CountsImagesAndRunsThatConfirmationStillTakes) {
  ObservationBuilder seen;
  for (const char* name : {"a:1", "b:1", "c:1", "d:1"}) seen.Add(Sized(name, 1), hours(500));
  Policy policy = ForSpace();
  policy.maximum_age = hours(100);
  policy.limits.confirm_runs = 4;
  const PlanContext context(policy, seen.seen());
  Plan plan = PlanWithDiskPressure(context);
  Defer(context, ByImage<int>{2, 4, 1, 3}, plan);
  const AwaitingConfirmation waiting = plan.CountAwaitingConfirmation();
  EXPECT_EQ(waiting.images, 3U);
  EXPECT_EQ(waiting.fewest_runs, 1);
  EXPECT_EQ(waiting.most_runs, 3);
}

}  // namespace
}  // namespace imagesweep
