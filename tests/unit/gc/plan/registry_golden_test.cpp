#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "agent/gc/plan/planner.h"
#include "agent/policy/parse.h"
#include "tests/support/observation.h"

// The clean-up of a registry as a policy: an image stays if it is deployed, younger than a day,
// latest, among the last 15 of production, or of no known pattern. All others are removed.

namespace imagesweep {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

constexpr const char* kTree = R"(apiVersion: imagesweep/v1alpha1
kind: SweepPolicy
dryRun: false
minimumAge: 24h
maximumAge: 0s
keep: {tags: [latest], unknown: true}
rules:
- {name: production, action: Remove, keepLast: 15, selector: {images: ["*/shop/*"], tags: ["prod-*"]}}
- {name: pull-requests, action: Remove, selector: {images: ["*/shop/*"], tags: ["pr-*"]}}
- {name: builds, action: Remove, selector: {images: ["*/shop/*"], tags: ["build-*"]}}
- {name: untagged, action: Remove, selector: {tagStatus: Untagged}}
limits: {maxImages: 1000, maxPercentOfImages: 100}
)";

constexpr std::uint64_t kSize = 500'000'000;

struct RegistryCleanup : testing::Test {
  std::string Add(const std::string& tag, hours old) {
    const std::string name = "registry.example/shop/lambda-images:" + tag;
    seen.Add(Img(tag, {std::string_view(name)}, kSize), old);
    return name;
  }
  // Deployed in an environment, which has a pod with that name.
  void Deploy(const std::string& tag, const std::string& environment) {
    seen.Use(Add(tag, hours(50)), {ImageUserKind::kPod, environment, "lambda", "main"});
  }
  // Its tag moved to a newer image, and only the digest is left.
  void AddUntagged(hours old) {
    Image image = Img("untagged", {"registry.example/shop/lambda-images:gone"}, kSize);
    image.tags.clear();
    seen.Add(image, old);
  }
  // The last image was watched without a use for this time.
  void Age(hours old) {
    ImageAge& age = seen.seen().ages.back();
    age.unused_for = age.watched_unused_for = old;
  }
  const Decision& Last() {
    plan = MakePlan(policy, seen.seen());
    return plan.decisions.back();
  }

  ObservationBuilder seen;
  Policy policy = *ParsePolicy(kTree);
  Plan plan;
};

// Of 76 images, 12 are deployed, and 53 are candidates. 15 of production stay. Seven of these are
// deployed: one in production, and six in environments of pull requests without a build of their
// own. Eight are kept for rollback.
TEST_F(RegistryCleanup, KeepsAndRemovesByClass) {
  Deploy("prod-120", "production");
  for (int i = 0; i < 6; ++i) Deploy("prod-" + std::to_string(114 + i), "pr-" + std::to_string(i));
  for (int i = 6; i < 11; ++i) Deploy("pr-9" + std::to_string(i), "pr-" + std::to_string(i));
  for (int i = 0; i < 8; ++i) Add("prod-" + std::to_string(100 + i), hours(60 + i));
  for (int i = 0; i < 5; ++i) Add("prod-" + std::to_string(91 + i), hours(200));  // the old ones
  for (int i = 0; i < 45; ++i) Add("pr-" + std::to_string(200 + i), hours(79));
  Add("build-1", hours(120));
  Add("build-2", hours(120));
  AddUntagged(hours(120));
  Add("latest", hours(500));
  Add("experiment", hours(500));
  Add("pr-300", hours(5));
  ASSERT_EQ(seen.seen().images.size(), 76U);

  plan = MakePlan(policy, seen.seen());
  std::map<Code, int> count;
  std::map<std::string, int> removed_by, kept_of_production;
  for (const Decision& decision : plan.decisions) {
    ++count[decision.code];
    if (decision.verdict == Verdict::kRemove)
      ++removed_by[decision.rule];
    else if (decision.rule == "production")
      ++kept_of_production[std::string(ToString(decision.code))];
  }
  EXPECT_EQ(plan.removals.size(), 53U);
  EXPECT_EQ(removed_by,
            (std::map<std::string, int>{
                {"builds", 2}, {"production", 5}, {"pull-requests", 45}, {"untagged", 1}}));
  EXPECT_EQ(kept_of_production, (std::map<std::string, int>{{"InUse", 7}, {"Retained", 8}}));
  EXPECT_EQ(count, (std::map<Code, int>{{Code::kInUse, 12},
                                        {Code::kRetained, 8},
                                        {Code::kKeepRule, 1},
                                        {Code::kUnknown, 1},
                                        {Code::kTooYoung, 1},
                                        {Code::kRule, 53}}));
}

TEST_F(RegistryCleanup, RemovesOnlyTheOldestProductionImages) {
  for (int i = 1; i <= 20; ++i) Add("prod-" + std::to_string(i), hours(50));
  plan = MakePlan(policy, seen.seen());
  for (const Decision& decision : plan.decisions)
    EXPECT_EQ(decision.verdict, decision.image < ImagePos(5) ? Verdict::kRemove : Verdict::kKeep)
        << seen.seen().images[decision.image].display_name();
}

TEST_F(RegistryCleanup, AFreshImageIsNotRemovedDuringItsDeployment) {
  Add("pr-301", hours(23));
  EXPECT_EQ(Last().code, Code::kTooYoung);
  EXPECT_THAT(Last().reason, HasSubstr("less than minimumAge"));
  Age(hours(24));
  EXPECT_EQ(Last().code, Code::kRule);
}

// The pod is bound, its container does not exist yet, and the image is an old one.
TEST_F(RegistryCleanup, AnImageOfADeploymentInProgressIsInUse) {
  seen.Use(Add("pr-302", hours(500)), {ImageUserKind::kPod, "pr-302", "lambda-0", "main"});
  EXPECT_EQ(Last().code, Code::kInUse);
  EXPECT_THAT(Last().reason, HasSubstr("Pod pr-302/lambda-0"));
}

// Its pod hangs or is already gone: the image stays for a day by its age, and as long as the pod
// exists.
TEST_F(RegistryCleanup, TheImageOfAFailedDeploymentStaysForItsAgeAndForItsPod) {
  const std::string image = Add("pr-303", hours(1));
  EXPECT_EQ(Last().code, Code::kTooYoung);
  Age(hours(500));
  seen.Use(image, {ImageUserKind::kContainer, "pr-303", "lambda-0", "main"});
  EXPECT_EQ(Last().code, Code::kInUse) << "an exited container is a container";
  seen.seen().references.clear();
  EXPECT_EQ(Last().code, Code::kRule);
}

TEST_F(RegistryCleanup, ProductionCanBeRolledBackToAnyOfTheLastFifteen) {
  for (int i = 2; i <= 16; ++i) Add("prod-" + std::to_string(i), hours(500));
  EXPECT_EQ(Last().code, Code::kRetained);
  EXPECT_EQ(plan.decisions.front().code, Code::kRetained);
  EXPECT_THAT(plan.decisions.front().reason,
              HasSubstr("15th newest of registry.example/shop/lambda-images in scheme "
                        "prod-<number>; the newest 15 are kept (rule \"production\")"));
  Add("prod-1", hours(500));
  EXPECT_EQ(Last().code, Code::kRule) << "the sixteenth";
  seen.Use("registry.example/shop/lambda-images:prod-1");
  EXPECT_EQ(Last().code, Code::kInUse) << "unless it is deployed";
}

// Started by hand without Kubernetes: the runtime lists it.
TEST_F(RegistryCleanup, AManuallyDeployedImageIsInUse) {
  seen.Use(Add("build-3", hours(500)), {ImageUserKind::kContainer, "", "", "debug"});
  EXPECT_EQ(Last().code, Code::kInUse);
}

TEST_F(RegistryCleanup, AnImageOfNoKnownPatternStays) {
  for (const char* tag : {"feature-x", "v1", "3f2a9bc"}) {
    Add(tag, hours(5000));
    EXPECT_EQ(Last().code, Code::kUnknown) << tag;
  }
  seen.Add(Img("other", {"registry.example/infra/tool:build-9"}), hours(5000));
  EXPECT_EQ(Last().code, Code::kUnknown) << "a known tag in another repository";
}

TEST_F(RegistryCleanup, KeepsLatestAndRemovesUntaggedImagesAfterADay) {
  Add("latest", hours(5000));
  EXPECT_EQ(Last().code, Code::kKeepRule);
  AddUntagged(hours(23));
  EXPECT_EQ(Last().code, Code::kTooYoung);
  Age(hours(120));
  EXPECT_EQ(Last().code, Code::kRule);
  EXPECT_EQ(Last().rule, "untagged");
}

}  // namespace
}  // namespace imagesweep
