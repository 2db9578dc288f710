#include "agent/gc/plan/removal_time.h"

#include <gmock/gmock.h>

#include "agent/gc/plan/explain.h"
#include "agent/gc/plan/planner.h"
#include "tests/unit/gc/plan/random_node.h"

namespace imagesweep {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

// The same node later, if nothing was used except the images in use now.
Plan PlanAfter(const PlanContext& context, Millis passed) {
  Observation later = context.seen();
  later.at += passed;
  for (const ImagePos at : Positions(later.ages)) {
    if (context.in_use(at)) continue;
    later.ages[at].unused_for += passed;
    later.ages[at].watched_unused_for += passed;
  }
  return MakePlan(context.policy(), later);
}

bool Goes(const Plan& plan, ImagePos at) {
  return plan.decisions[at].verdict == Verdict::kRemove;
}

// A world in which time matters: some ages were only partly watched.
void WatchInPart(RandomWorld& metadata) {
  for (ImageAge& age : metadata.seen().ages)
    if (metadata.Maybe(2)) age.watched_unused_for = std::min(age.unused_for, metadata.Minutes(60));
}

TEST(RemovalTime, IsExactToTheSecond) {
  int told = 0;
  for (std::uint64_t seed = 0; seed < 6'000; ++seed) {
    RandomWorld metadata(seed);
    WatchInPart(metadata);
    const PlanContext context(metadata.policy(), metadata.seen());
    const Plan plan = MakePlan(context);
    for (const ImagePos at : Positions(plan.decisions)) {
      const auto goes = RemovalByTime(context, plan, at);
      if (!goes) continue;
      ++told;
      ASSERT_GT(goes->in, Millis(0)) << "seed " << seed;
      ASSERT_EQ(goes->at, metadata.seen().at + goes->in) << "seed " << seed;
      const Plan later = PlanAfter(context, goes->in + seconds(1));
      ASSERT_TRUE(Goes(later, at)) << "seed " << seed;
      ASSERT_EQ(later.decisions[at].code, goes->code) << "seed " << seed;
      ASSERT_FALSE(Goes(PlanAfter(context, std::max(goes->in - seconds(1), Millis(0))), at))
          << "seed " << seed;
    }
  }
  EXPECT_GT(told, 1'000);
}

// All ages of the random worlds are whole minutes below 200, so one evaluation per minute misses
// nothing.
TEST(RemovalTime, IsSetWheneverOnlyTimeIsMissing) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    RandomWorld metadata(seed);
    WatchInPart(metadata);
    metadata.seen().disk.reset();
    metadata.policy().windows.clear();
    metadata.policy().limits = {1000, 0, 100, Millis(0), 5, 1};
    const PlanContext context(metadata.policy(), metadata.seen());
    const Plan plan = MakePlan(context);
    ByImage<std::optional<Millis>> first(plan.decisions.size());
    for (int minute = 0; minute <= 201; ++minute) {
      const Plan then = PlanAfter(context, minutes(minute) + seconds(1));
      for (const ImagePos at : Positions(first))
        if (!first[at] && Goes(then, at)) first[at] = minutes(minute);
    }
    for (const ImagePos at : Positions(first)) {
      if (Goes(plan, at)) continue;
      const auto goes = RemovalByTime(context, plan, at);
      ASSERT_EQ(goes.has_value(), first[at].has_value())
          << "seed " << seed << " image " << at.value();
      if (goes) {
        ASSERT_LE(goes->in, *first[at] + seconds(1)) << "seed " << seed << " image " << at.value();
        ASSERT_GT(goes->in, *first[at] - minutes(1)) << "seed " << seed << " image " << at.value();
      }
    }
  }
}

Explanation ExplainOnly(const Policy& policy, ObservationBuilder& seen) {
  const PlanContext context(policy, seen.seen());
  return Explain(context, MakePlan(context), ImagePos(0));
}

Policy WithRule(std::optional<Millis> minimum, std::optional<Millis> maximum) {
  Policy policy = Policy::Default();
  policy.limits.max_percent_of_images = 100;
  Rule rule;
  rule.name = "builds";
  rule.minimum_age = minimum;
  rule.maximum_age = maximum;
  policy.rules = {rule};
  return policy;
}

TEST(Explain, CountsTheMinimumAgeOfTheRuleThatSelectsTheImage) {
  ObservationBuilder seen;
  seen.Add(Img("a", {"app:1"}), hours(1) + seconds(4));
  const Explanation why = ExplainOnly(WithRule(hours(24 * 7), std::nullopt), seen);
  EXPECT_THAT(why.what_would_change_it, HasSubstr("it is old enough in 6d"));
  EXPECT_THAT(why.what_would_change_it, Not(HasSubstr(" -")));
}

TEST(Explain, ShowsWhenARuleRemovesAnImage) {
  ObservationBuilder seen;
  seen.Add(Img("a", {"app:1"}), hours(2));
  Policy policy = WithRule(hours(5), std::nullopt);
  policy.rules[0].action = RuleAction::kRemove;
  const Explanation why = ExplainOnly(policy, seen);
  ASSERT_TRUE(why.goes);
  EXPECT_EQ(why.goes->in, hours(3));
  EXPECT_EQ(why.goes->code, Code::kRule);
  EXPECT_THAT(why.what_would_change_it, HasSubstr("it is removed in 3h"));
}

TEST(Explain, CountsTheMaximumAgeOfTheRuleThatSelectsTheImage) {
  ObservationBuilder seen;
  seen.Add(Img("a", {"app:1"}), hours(400));
  const Explanation why = ExplainOnly(WithRule(std::nullopt, hours(500)), seen);
  ASSERT_TRUE(why.goes);
  EXPECT_EQ(why.goes->in, hours(100) + Millis(1)) << "the policy's maximumAge is 336h";
  EXPECT_EQ(why.goes->code, Code::kAge);
}

TEST(Explain, AnAgeThatWasNotWatchedDoesNotCountTowardTheMinimum) {
  ObservationBuilder seen;
  seen.Add(Img("a", {"app:1"}), hours(400));
  seen.seen().ages[ImagePos(0)].watched_unused_for = minutes(10);
  const Explanation why = ExplainOnly(WithRule(std::nullopt, std::nullopt), seen);
  ASSERT_TRUE(why.goes);
  EXPECT_EQ(why.goes->in, minutes(50));
}

TEST(Explain, CountsTheNextWindow) {
  ObservationBuilder seen;
  seen.Add(Img("a", {"app:1"}), hours(400));
  seen.seen().at = SystemTime(hours(24 * 365 * 50));
  Policy policy = WithRule(std::nullopt, std::nullopt);
  policy.windows = {{{}, minutes(60), minutes(120), "UTC"}};
  const Explanation why = ExplainOnly(policy, seen);
  ASSERT_TRUE(why.goes);
  EXPECT_EQ(why.goes->in, hours(1));
}

TEST(Explain, GivesNoTimeWhenMoreThanTimeIsMissing) {
  ObservationBuilder seen;
  seen.Add(Img("a", {"app:1"}), hours(2)).Use("app:1");
  EXPECT_FALSE(ExplainOnly(WithRule(std::nullopt, std::nullopt), seen).goes) << "in use";
  ObservationBuilder idle;
  idle.Add(Img("a", {"app:1"}), hours(2));
  Policy policy = WithRule(std::nullopt, Millis(0));
  EXPECT_FALSE(ExplainOnly(policy, idle).goes) << "maximumAge is disabled";
  policy.limits.max_images = 0;
  policy.rules[0].action = RuleAction::kRemove;
  EXPECT_FALSE(ExplainOnly(policy, idle).goes) << "over the limit";
}

}  // namespace
}  // namespace imagesweep
