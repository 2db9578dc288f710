#include "agent/gc/plan/planner.h"

#include <gtest/gtest.h>

#include "agent/gc/plan/order.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

constexpr Millis kMinute = std::chrono::minutes(1);

// high 90, low 80, minimum age 0, as the kubelet's own tests have it.
Policy SpaceOnly() {
  Policy policy;
  policy.minimum_age = Millis(0);
  policy.maximum_age = Millis(0);
  policy.disk = {{90, 80}, {0, 0}, {}};
  policy.remove_superseded = false;
  policy.keep.last_per_repository = 0;
  policy.limits.max_percent_of_images = 100;
  return policy;
}

// A disk of 100,000 bytes that must lose exactly `bytes` to reach the low mark.
void MustFree(ObservationBuilder& seen, std::uint64_t bytes) {
  seen.Disk(100'000, 20'000 - bytes);
}

// K04
TEST(Planner, RemovesOnlyUnusedImages) {
  ObservationBuilder two;
  two.Add(Img("0", {"a:0"}, 10'240)).Add(Img("1", {"a:1"}, 20'480)).Use("a:1");
  MustFree(two, 15'000);
  EXPECT_EQ(MakePlan(SpaceOnly(), two.seen()).removals, ImagesAt(0));

  ObservationBuilder three;
  three.Add(Img("0", {"a:0"}, 1)).Add(Img("1", {"a:1"}, 1)).Add(Img("2", {"a:2"}, 1)).Use("a:2");
  MustFree(three, 20'000);
  EXPECT_EQ(MakePlan(SpaceOnly(), three.seen()).removals, ImagesAt(0, 1));
}

// K05
TEST(Planner, RemovesNothingYoungerThanTheMinimumAge) {
  Policy policy = SpaceOnly();
  policy.minimum_age = kMinute;
  const std::pair<Millis, std::size_t> cases[] = {
      {Millis(0), 0}, {Millis(59'999), 0}, {Millis(60'000), 1}};
  for (const auto& [age, removed] : cases) {
    ObservationBuilder seen;
    seen.Add(Img("0", {"a:0"}, 10'240), age);
    MustFree(seen, 10'240);
    EXPECT_EQ(MakePlan(policy, seen.seen()).removals.size(), removed) << age.count();
  }
}

// K06: both used at t1, only 1 at t2, none at t3.
TEST(Planner, RemovesLeastRecentlyUsedImagesFirstUntilTheGoal) {
  ObservationBuilder seen;
  seen.Add(Img("1", {"a:1"}, 12'048), kMinute, true)
      .Add(Img("0", {"a:0"}, 11'024), 2 * kMinute, true);
  MustFree(seen, 11'024);
  EXPECT_EQ(MakePlan(SpaceOnly(), seen.seen()).removals, ImagesAt(1));
}

// K07: the image that was never used is removed before the one that was used once, although it is
// newer.
TEST(Planner, RemovesNeverUsedImagesBeforeUsedOnes) {
  ObservationBuilder seen;
  seen.Add(Img("0", {"a:0"}, 11'024), 2 * kMinute, true).Add(Img("1", {"a:1"}, 12'048), kMinute);
  MustFree(seen, 11'024);
  EXPECT_EQ(MakePlan(SpaceOnly(), seen.seen()).removals, ImagesAt(1));
}

TEST(Planner, BreaksTiesBySizeAndThenByName) {
  ObservationBuilder seen;
  seen.Add(Img("c", {"c:1"}, 5)).Add(Img("b", {"b:1"}, 5)).Add(Img("a", {"a:1"}, 9));
  MustFree(seen, 20'000);
  EXPECT_EQ(MakePlan(SpaceOnly(), seen.seen()).removals, ImagesAt(2, 1, 0));
}

// K08
TEST(Planner, KeepsPinnedImagesUnderDiskPressure) {
  Image pinned0 = Img("0", {"a:0"}, 10'240);
  pinned0.pinned = true;
  Image pinned1 = Img("1", {"a:1"}, 20'480);
  pinned1.pinned = true;
  const Image plain1 = Img("1", {"a:1"}, 10'240);
  const Image plain2 = Img("2", {"a:2"}, 10'240);
  struct {
    const char* why;
    std::vector<Image> images;
    std::vector<ImagePos> removed;
  } cases[] = {
      {"one image, pinned", {pinned0}, {}},
      {"one pinned, two not", {pinned0, plain1, plain2}, ImagesAt(1, 2)},
      {"none pinned", {plain1, plain2}, ImagesAt(0, 1)},
      {"both pinned", {pinned0, pinned1}, {}},
  };
  for (const auto& [why, images, removed] : cases) {
    ObservationBuilder seen;
    for (const auto& image : images) seen.Add(image);
    MustFree(seen, 20'000);
    EXPECT_EQ(MakePlan(SpaceOnly(), seen.seen()).removals, removed) << why;
  }
}

// K09, the arithmetic: capacity 1000, high 90, low 80.
TEST(Planner, CountsDiskUseAsTheKubeletDoes) {
  struct {
    const char* why;
    std::uint64_t capacity, available;
    std::optional<std::uint64_t> to_free;
  } cases[] = {
      {"well below", 1000, 600, std::nullopt},
      {"just below the high mark", 1000, 110, std::nullopt},
      {"whole percents, rounded up", 1000, 101, 99},
      {"at the high mark", 1000, 100, 100},
      {"far above", 1000, 50, 150},
      {"full", 1000, 0, 200},
      {"no capacity", 0, 0, std::nullopt},
  };
  for (const auto& [why, capacity, available, to_free] : cases) {
    ObservationBuilder seen;
    seen.Disk(capacity, available);
    const Policy policy = SpaceOnly();
    const auto goal = GoalForSpace(PlanContext(policy, seen.seen()));
    EXPECT_EQ(goal ? std::optional(goal->to_low_threshold.bytes) : std::nullopt, to_free) << why;
  }
  const Policy policy = SpaceOnly();
  const Observation unknown;
  EXPECT_FALSE(GoalForSpace(PlanContext(policy, unknown))) << "disk unknown";
}

// K11: longer than the maximum age, not equal to it. A disabled age stays disabled.
TEST(Planner, RemovesByAgeOnlyImagesOlderThanTheMaximum) {
  Policy policy = SpaceOnly();
  policy.maximum_age = kMinute;
  const std::pair<Millis, bool> cases[] = {
      {Millis(0), false}, {kMinute, false}, {kMinute + Millis(1), true}};
  for (const auto& [age, goes] : cases) {
    ObservationBuilder seen;
    seen.Add(Img("0", {"a:0"}), age);
    EXPECT_EQ(MakePlan(policy, seen.seen()).removals.size(), goes ? 1U : 0U) << age.count();
  }
  policy.maximum_age = Millis(0);
  ObservationBuilder seen;
  seen.Add(Img("0", {"a:0"}), Millis::max());
  EXPECT_TRUE(MakePlan(policy, seen.seen()).removals.empty());
}

TEST(Planner, RemovesNothingForSpaceWhenTheDiskUsageIsUnknown) {
  ObservationBuilder seen;
  seen.Add(Img("0", {"a:0"}));
  const Plan plan = MakePlan(SpaceOnly(), seen.seen());
  EXPECT_EQ(plan.decisions[ImagePos(0)].code, Code::kIdle);
  EXPECT_TRUE(plan.removals.empty());
}

// C08: a size of 0, and no names.
TEST(Planner, HandlesAnImageWithoutSizeAndNames) {
  Image bare;
  bare.id = ImageId(Id("bare"));
  ObservationBuilder seen;
  seen.Add(bare);
  MustFree(seen, 1000);
  EXPECT_EQ(MakePlan(SpaceOnly(), seen.seen()).decisions[ImagePos(0)].code, Code::kLocalOnly);
  Policy policy = SpaceOnly();
  policy.keep.local_only = LocalOnly::kNever;
  EXPECT_EQ(MakePlan(policy, seen.seen()).decisions[ImagePos(0)].code, Code::kIdle);
  seen.seen().ages[ImagePos(0)].lost_tag = true;
  EXPECT_EQ(MakePlan(policy, seen.seen()).decisions[ImagePos(0)].code, Code::kDangling);
}

TEST(Planner, DefersImagesBeyondTheLimits) {
  Policy policy = SpaceOnly();
  policy.maximum_age = Millis(1);
  ObservationBuilder seen;
  for (const char* name : {"a", "b", "c", "d"}) seen.Add(Img(name, {std::string_view(name)}, 100));
  struct {
    const char* why;
    Limits limits;
    std::size_t removed;
  } cases[] = {
      {"maxImages", {3, 0, 100, Millis(0), 5}, 3},
      {"none", {0, 0, 100, Millis(0), 5}, 0},
      {"maxBytes", {50, 250, 100, Millis(0), 5}, 2},
      {"maxPercentOfImages rounds down", {50, 0, 49, Millis(0), 5}, 1},
  };
  for (const auto& [why, limits, removed] : cases) {
    policy.limits = limits;
    const Plan plan = MakePlan(policy, seen.seen());
    EXPECT_EQ(plan.removals.size(), removed) << why;
    EXPECT_EQ(plan.Count(Verdict::kDefer), 4 - removed) << why;
  }
}

TEST(Planner, CountsRemovalsByAgeTowardTheSpaceGoal) {
  Policy policy = SpaceOnly();
  policy.maximum_age = 2 * kMinute;
  ObservationBuilder seen;
  seen.Add(Img("old", {"old:1"}, 15'000), 3 * kMinute)
      .Add(Img("idle", {"idle:1"}, 15'000), kMinute);
  MustFree(seen, 15'000);
  const Plan plan = MakePlan(policy, seen.seen());
  EXPECT_EQ(plan.removals, ImagesAt(0));
  EXPECT_EQ(plan.decisions[ImagePos(1)].code, Code::kIdle);
}

}  // namespace
}  // namespace imagesweep
