#include <gmock/gmock.h>

#include "agent/gc/plan/explain.h"
#include "agent/gc/plan/plan_context.h"
#include "agent/gc/plan/planner.h"
#include "tests/support/observation.h"

// Only time watched without a gap counts toward minimumAge. All watched time counts toward
// maximumAge.

namespace imagesweep {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;

struct WatchedAgeTest : testing::Test {
  WatchedAgeTest() {
    policy.minimum_age = hours(1);
    policy.maximum_age = hours(24);
    policy.remove_superseded = false;
    policy.disk = {{75, 65}, {0, 0}, {}};
    policy.limits.max_percent_of_images = 100;
  }
  Decision Decide(Millis watched) {
    ObservationBuilder seen;
    seen.Add(Img("job", {"shop/job:1"}), hours(200));
    seen.seen().ages[ImagePos(0)].watched_unused_for = watched;
    if (disk_is_full) seen.Disk(1000, 50);
    const PlanContext context(policy, seen.seen());
    const Plan plan = MakePlan(policy, seen.seen());
    what_would_change_it = Explain(context, plan, ImagePos(0)).what_would_change_it;
    return plan.decisions[ImagePos(0)];
  }
  Policy policy;
  bool disk_is_full = false;
  std::string what_would_change_it;
};

TEST_F(WatchedAgeTest, KeepsALongIdleImageAsTooYoungAfterAGap) {
  for (const Millis watched : {Millis(0), Millis(hours(1)) - Millis(1)}) {
    const Decision young = Decide(watched);
    EXPECT_EQ(young.code, Code::kTooYoung);
    EXPECT_THAT(young.reason, HasSubstr("since the last unwatched time"));
    EXPECT_THAT(young.reason, HasSubstr("less than minimumAge 1h"));
  }
  EXPECT_EQ(Decide(hours(1)).code, Code::kAge);
  Decide(minutes(20));
  EXPECT_THAT(what_would_change_it, HasSubstr("40m"));
}

TEST_F(WatchedAgeTest, UsesTheWatchedAgeForTheMinimumAgeOfARule) {
  Rule rule;
  rule.name = "jobs";
  rule.selector.images = {*ImageGlob::Parse("*/shop/*")};
  rule.minimum_age = hours(3);
  policy.rules = {rule};
  EXPECT_EQ(Decide(hours(2)).code, Code::kTooYoung);
  EXPECT_EQ(Decide(hours(3)).code, Code::kAge);
}

TEST_F(WatchedAgeTest, UsesTheWatchedAgeForTheCriticalMinimumAge) {
  disk_is_full = true;
  policy.maximum_age = Millis(0);
  policy.disk.critical = {82, minutes(5)};
  EXPECT_EQ(Decide(minutes(4)).code, Code::kTooYoung);
  EXPECT_EQ(Decide(minutes(5)).code, Code::kCritical);
}

}  // namespace
}  // namespace imagesweep
