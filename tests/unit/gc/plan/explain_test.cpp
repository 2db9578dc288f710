#include "agent/gc/plan/explain.h"

#include <gmock/gmock.h>

#include "agent/gc/plan/planner.h"
#include "agent/model/verdict_codes.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;

TEST(Explain, NamesPodAndContainerOfAKeptImageAndRuleAndAgeOfARemovedOne) {
  Policy policy = Policy::Default();
  policy.limits.max_percent_of_images = 100;
  ObservationBuilder seen;
  seen.Add(Img("u", {"web:2"})).Use("web:2", {ImageUserKind::kPod, "shop", "api-7d9", "web"});
  seen.Add(Img("o", {"app:1"}), std::chrono::hours(400));
  const PlanContext context(policy, seen.seen());
  const Plan plan = MakePlan(context);

  const Explanation kept = Explain(context, plan, ImagePos(0));
  EXPECT_TRUE(kept.steps[0].decides);
  EXPECT_THAT(kept.steps[0].evidence, HasSubstr("shop/api-7d9/web"));

  const Explanation removed = Explain(context, plan, ImagePos(1));
  const auto found = std::find_if(removed.steps.begin(), removed.steps.end(),
                                  [](const Step& s) { return s.code == Code::kAge; });
  ASSERT_NE(found, removed.steps.end());
  const Step& age = *found;
  EXPECT_TRUE(age.decides);
  EXPECT_THAT(age.evidence, HasSubstr("maximumAge 336h"));
  EXPECT_THAT(age.evidence, HasSubstr("16d"));
}

TEST(Explain, ExactlyOneStepDecidesUnlessTheImageIsIdle) {
  Policy policy = Policy::Default();
  ObservationBuilder seen;
  seen.Add(Img("pause", {"pause:3"}))
      .Add(Img("y", {"young:1"}), Millis(5))
      .Add(Img("i", {"idle:1"}), std::chrono::hours(2));
  const PlanContext context(policy, seen.seen());
  const Plan plan = MakePlan(context);
  for (const ImagePos at : Positions(plan.decisions)) {
    const auto explanation = Explain(context, plan, at);
    const auto deciding = std::count_if(explanation.steps.begin(), explanation.steps.end(),
                                        [](const Step& s) { return s.decides; });
    EXPECT_EQ(deciding, plan.decisions[at].code == Code::kIdle ? 0 : 1);
    EXPECT_FALSE(explanation.what_would_change_it.empty());
    for (const Step& step : explanation.steps)
      EXPECT_FALSE(step.evidence.empty()) << ToString(step.code);
  }
}

TEST(Explain, GivesAdviceForEachCode) {
  const Policy policy = Policy::Default();
  ObservationBuilder seen;
  seen.Add(Img("i", {"idle:1"}), std::chrono::hours(2));
  const PlanContext context(policy, seen.seen());
  Plan plan = MakePlan(context);
  for (const VerdictCode& row : VerdictCodes()) {
    plan.decisions[ImagePos(0)].code = row.code;
    plan.decisions[ImagePos(0)].verdict = row.verdict;
    EXPECT_FALSE(Explain(context, plan, ImagePos(0)).what_would_change_it.empty()) << row.name;
  }
}

// The evidence of the space rule for the only image with that name.
std::string ForSpace(const ObservationBuilder& seen, Code expected, ImagePos at) {
  Policy policy = Policy::Default();
  policy.minimum_age = std::chrono::hours(1);
  policy.maximum_age = Millis(0);
  policy.remove_superseded = false;
  policy.keep.last_per_repository = 0;
  policy.disk = {{75, 65}, {75, 65}, {0, Millis(0)}};
  policy.limits.max_percent_of_images = 100;
  ObservationBuilder mine = seen;
  const PlanContext context(policy, mine.seen());
  const Plan plan = MakePlan(context);
  EXPECT_EQ(ToString(plan.decisions[at].code), ToString(expected));
  for (const Step& step : Explain(context, plan, at).steps)
    if (step.code == Code::kSpace) return step.evidence;
  return "no such question";
}

TEST(Explain, SaysThatOthersGoForSpaceOnlyWhenTheyDo) {
  constexpr std::uint64_t kMiB = 1 << 20;
  const auto sized = [](const char* id, const char* tag) {
    Image image = Img(id, {tag});
    image.size_bytes = 300 * kMiB;
    return image;
  };
  ObservationBuilder others_go;
  others_go.Add(sized("a", "a:1"), std::chrono::hours(9)).Add(sized("b", "b:1"));
  others_go.Disk(1000 * kMiB, 200 * kMiB);
  EXPECT_THAT(ForSpace(others_go, Code::kIdle, ImagePos(0)),
              HasSubstr("but the images before it free enough"));

  ObservationBuilder nothing_can_go;
  nothing_can_go.Add(sized("u", "u:1"))
      .Use("u:1")
      .Add(sized("y", "y:1"), std::chrono::minutes(1))
      .Disk(1000 * kMiB, 200 * kMiB);
  EXPECT_THAT(ForSpace(nothing_can_go, Code::kInUse, ImagePos(0)),
              HasSubstr("but the image is not a candidate for space"));
  EXPECT_THAT(ForSpace(nothing_can_go, Code::kTooYoung, ImagePos(1)),
              HasSubstr("but the image is not a candidate for space"));
}

}  // namespace
}  // namespace imagesweep
