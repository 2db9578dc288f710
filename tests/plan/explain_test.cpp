#include "agent/plan/explain.h"

#include <gmock/gmock.h>

#include "agent/plan/planner.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;

TEST(Explain, NamesPodAndContainerOfAKeptImageAndRuleAndAgeOfARemovedOne) {
  Policy policy = Policy::Default();
  policy.limits.max_percent_of_images = 100;
  ObservationBuilder seen;
  seen.Add(Img("u", {"web:2"})).Use("web:2", {ReferrerKind::kPod, "shop", "api-7d9", "web"});
  seen.Add(Img("o", {"app:1"}), std::chrono::hours(400));
  const Scene scene(policy, seen.seen());
  const Plan plan = MakePlan(scene);

  const Explanation kept = Explain(scene, plan, 0);
  EXPECT_TRUE(kept.steps[0].decides);
  EXPECT_THAT(kept.steps[0].evidence, HasSubstr("shop/api-7d9/web"));

  const Explanation removed = Explain(scene, plan, 1);
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
  const Scene scene(policy, seen.seen());
  const Plan plan = MakePlan(scene);
  for (std::uint32_t at = 0; at < 3; ++at) {
    const auto explanation = Explain(scene, plan, at);
    const auto deciding = std::count_if(explanation.steps.begin(), explanation.steps.end(),
                                        [](const Step& s) { return s.decides; });
    EXPECT_EQ(deciding, plan.decisions[at].code == Code::kIdle ? 0 : 1);
    EXPECT_FALSE(explanation.what_would_change_it.empty());
    for (const Step& step : explanation.steps)
      EXPECT_FALSE(step.evidence.empty()) << ToString(step.code);
  }
}

}  // namespace
}  // namespace imagesweep
