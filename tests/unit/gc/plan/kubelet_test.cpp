#include "agent/gc/plan/kubelet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/gc/plan/planner.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Kubelet, WarnsWhenItWouldCollectBeforeThePolicyDoes) {
  ObservationBuilder seen;
  seen.Disk(1000, 500);
  Policy policy;
  const auto warn = [&](const KubeletThresholds& kubelet) {
    return KubeletWarnings(policy, kubelet, seen.seen(), MakePlan(policy, seen.seen()));
  };
  EXPECT_THAT(warn({}), IsEmpty());
  policy.disk.high_percent = 85;
  EXPECT_THAT(warn({}), ElementsAre(HasSubstr("85 is not below the kubelet's "
                                              "imageGCHighThresholdPercent 85% (its default, ")));
  EXPECT_THAT(warn({90, 80, true}), IsEmpty());
  EXPECT_THAT(warn({70, 60, true}),
              ElementsAre(HasSubstr("not below the kubelet's imageGCHighThresholdPercent 70%:")));
  EXPECT_THAT(warn({100, 99, true}), IsEmpty()) << "its collector is off";
}

TEST(Kubelet, WarnsThatItRemovesKeptImagesAboveItsThreshold) {
  ObservationBuilder seen;
  seen.Add(Img("a", {"kept:1"})).Add(Img("b", {"other:1"}));
  Policy policy;
  policy.keep.images = {*ImageGlob::Parse("kept")};
  const auto warn = [&] {
    return KubeletWarnings(policy, {}, seen.seen(), MakePlan(policy, seen.seen()));
  };
  seen.Disk(1000, 160);
  EXPECT_THAT(warn(), IsEmpty()) << "84%";
  seen.Disk(1000, 150);
  EXPECT_THAT(warn(), ElementsAre(HasSubstr("1 that the policy keeps")));
  policy.keep.images.clear();
  EXPECT_THAT(warn(), IsEmpty());
}

}  // namespace
}  // namespace imagesweep
