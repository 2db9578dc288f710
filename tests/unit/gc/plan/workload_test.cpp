#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "agent/gc/plan/explain.h"
#include "agent/gc/plan/planner.h"
#include "agent/gc/plan/what_if.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The policy removes everything it may, except images that workloads need.
Policy KeepingWorkloads() {
  Policy policy;
  policy.minimum_age = Millis(0);
  policy.maximum_age = Millis(1);
  policy.limits.max_percent_of_images = 100;
  policy.limits.max_images = 1000;
  policy.keep.last_per_repository = 0;
  policy.keep.workloads.enabled = true;
  return policy;
}

WorkloadReference Of(std::string kind, std::string name, std::string text, std::int64_t revision,
                     int back) {
  return {std::move(text), std::move(kind), "shop", std::move(name), "main", revision, back, false};
}
WorkloadReference ScaledToZero(std::string text, std::int64_t revision, int back) {
  auto reference = Of("Deployment", "api", std::move(text), revision, back);
  reference.scaled_to_zero = true;
  return reference;
}

Code CodeOf(const Policy& policy, const Observation& seen, ImagePos image = {}) {
  return MakePlan(policy, seen).decisions[image].code;
}

TEST(Workload, KeepsItsImageInEveryFormOfTheName) {
  const Image image = Img("x", {"docker.io/library/x:1", "quay.io/y/x:9"});
  for (const std::string& text :
       {std::string("x:1"), std::string("docker.io/library/x:1"), std::string("quay.io/y/x:9"),
        "quay.io/y/x@" + Id("digest-x"), "x:moved@" + Id("digest-x"), Id("x"), Id("x").substr(7),
        "docker-pullable://quay.io/y/x@" + Id("digest-x")}) {
    ObservationBuilder seen;
    seen.Add(image).Add(Img("other", {"other:1"}));
    seen.seen().workloads = {Of("StatefulSet", "x", text, 0, 0)};
    const Plan plan = MakePlan(KeepingWorkloads(), seen.seen());
    EXPECT_EQ(plan.decisions[ImagePos(0)].code, Code::kWorkload) << text;
    EXPECT_EQ(plan.decisions[ImagePos(0)].verdict, Verdict::kKeep) << text;
    EXPECT_THAT(plan.decisions[ImagePos(0)].needed_by, ElementsAre(0)) << text;
    EXPECT_EQ(plan.removals, ImagesAt(1)) << text;
  }
}

TEST(Workload, KeepsTheSamePathOfEveryRegistryWhenItNamesNone) {
  ObservationBuilder seen;
  seen.Add(Img("q", {"quay.io/app:1"})).Add(Img("d", {"app:1"})).Add(Img("z", {"reg.io/app:2"}));
  seen.seen().workloads = {Of("DaemonSet", "app", "app:1", 3, 0)};
  EXPECT_EQ(MakePlan(KeepingWorkloads(), seen.seen()).removals, ImagesAt(2));
}

TEST(Workload, ThePolicySaysWhichOfItsReferencesCount) {
  const auto keep = [](bool enabled, int rollback, bool scaled_to_zero, bool cron_jobs) {
    return KeepWorkloads{enabled, rollback, scaled_to_zero, cron_jobs};
  };
  const auto deployment = [](int back) { return Of("Deployment", "api", "app:1", 9 - back, back); };
  const WorkloadReference cron = Of("CronJob", "report", "app:1", 0, 0);
  const struct {
    const char* what;
    WorkloadReference reference;
    KeepWorkloads keep;
    bool counts;
    const char* otherwise;
  } cases[] = {
      {"off", deployment(0), keep(false, 2, true, true), false,
       "keep.workloads is disabled or there is no cluster, so workloads are not checked"},
      {"the present revision", deployment(0), keep(true, 0, true, true), true, ""},
      {"one back of none", deployment(1), keep(true, 0, true, true), false,
       "named by Deployment shop/api, revision 8 (1 back), but keep.workloads.rollbackRevisions is "
       "0"},
      {"one back of one", deployment(1), keep(true, 1, true, true), true, ""},
      {"two back of one", deployment(2), keep(true, 1, true, true), false,
       "named by Deployment shop/api, revision 7 (2 back), but keep.workloads.rollbackRevisions is "
       "1"},
      {"two back of two", deployment(2), keep(true, 2, true, true), true, ""},
      {"three back of two", deployment(3), keep(true, 2, true, true), false,
       "named by Deployment shop/api, revision 6 (3 back), but keep.workloads.rollbackRevisions is "
       "2"},
      {"scaled to zero", ScaledToZero("app:1", 9, 0), keep(true, 2, true, true), true, ""},
      {"scaled to zero, not wanted", ScaledToZero("app:1", 9, 0), keep(true, 2, false, true), false,
       "named by Deployment shop/api, revision 9 (scaled to zero), but keep.workloads.scaledToZero "
       "is false"},
      {"its older revision", ScaledToZero("app:1", 8, 1), keep(true, 2, true, true), true, ""},
      {"its older revision, not wanted", ScaledToZero("app:1", 8, 1), keep(true, 2, false, true),
       false,
       "named by Deployment shop/api, revision 8 (1 back, scaled to zero), but "
       "keep.workloads.scaledToZero is false"},
      {"a CronJob", cron, keep(true, 0, false, true), true, ""},
      {"a CronJob, not wanted", cron, keep(true, 2, true, false), false,
       "named by CronJob shop/report, but keep.workloads.cronJobs is false"},
      {"a Job where CronJobs are not wanted", Of("Job", "report", "app:1", 0, 0),
       keep(true, 0, false, false), true, ""},
      {"another image", Of("Deployment", "api", "app:2", 1, 0), keep(true, 2, true, true), false,
       "no workload of the cluster names it (references checked: 1)"},
  };
  for (const auto& [what, reference, its, counts, otherwise] : cases) {
    Policy policy = KeepingWorkloads();
    policy.keep.workloads = its;
    ObservationBuilder seen;
    seen.Add(Img("a", {"app:1"})).seen().workloads = {reference};
    const PlanContext context(policy, seen.seen());
    const Plan plan = MakePlan(context);
    EXPECT_EQ(plan.decisions[ImagePos(0)].code, counts ? Code::kWorkload : Code::kAge) << what;
    const Step step = Explain(context, plan, ImagePos(0)).steps.at(4);
    EXPECT_EQ(step.code, Code::kWorkload) << what;
    EXPECT_EQ(step.applies, counts) << what;
    EXPECT_EQ(step.decides, counts) << what;
    if (!counts) {
      EXPECT_EQ(step.evidence, otherwise) << what;
    }
  }
}

TEST(Workload, InitContainersAndImageVolumesAreReferencesLikeOthers) {
  ObservationBuilder seen;
  seen.Add(Img("i", {"init:1"})).Add(Img("v", {"model:1"}));
  seen.seen().workloads = {Of("Deployment", "api", "init:1", 1, 0),
                           Of("Deployment", "api", "model:1", 1, 0)};
  seen.seen().workloads[0].container = "migrate";
  seen.seen().workloads[1].container = "model-volume";
  EXPECT_TRUE(MakePlan(KeepingWorkloads(), seen.seen()).removals.empty());
}

TEST(Workload, IsNamedOnceWithItsLatestRevisionFirst) {
  ObservationBuilder seen;
  seen.Add(Img("x", {"x:1", "quay.io/y/x:9"}));
  auto& workloads = seen.seen().workloads;
  workloads = {Of("Deployment", "zoo", "x:1", 4, 0), Of("Deployment", "api", "x:1", 5, 2),
               Of("Deployment", "api", "quay.io/y/x:9", 6, 1), Of("Deployment", "old", "x:1", 1, 3),
               Of("CronJob", "job", "x:1", 0, 0)};
  const Plan plan = MakePlan(KeepingWorkloads(), seen.seen());
  EXPECT_THAT(plan.decisions[ImagePos(0)].needed_by, ElementsAre(4, 2, 0))
      << "what does not count is not told";
  EXPECT_EQ(plan.decisions[ImagePos(0)].reason, "needed by CronJob shop/job and 2 more");
  workloads.erase(workloads.begin() + 4);
  workloads.erase(workloads.begin());
  EXPECT_EQ(MakePlan(KeepingWorkloads(), seen.seen()).decisions[ImagePos(0)].reason,
            "needed by Deployment shop/api, revision 6 (1 back)");
}

TEST(Workload, RanksBelowPodsAndAboveKeepPatterns) {
  Policy policy = KeepingWorkloads();
  policy.keep.images.push_back(*ImageGlob::Parse("app"));
  ObservationBuilder seen;
  seen.Add(Img("a", {"app:1"})).seen().workloads = {Of("Deployment", "api", "app:1", 1, 0)};
  EXPECT_EQ(CodeOf(policy, seen.seen()), Code::kWorkload);
  seen.Use("app:1");
  EXPECT_EQ(CodeOf(policy, seen.seen()), Code::kInUse);
  EXPECT_TRUE(MakePlan(policy, seen.seen()).decisions[ImagePos(0)].needed_by.empty());
}

TEST(Workload, KeepsItsImageAtCriticalDiskUse) {
  Policy policy = KeepingWorkloads();
  policy.maximum_age = Millis(0);
  policy.minimum_age = std::chrono::hours(2000);
  policy.disk.critical.threshold_percent = 82;
  ObservationBuilder seen;
  seen.Add(Img("a", {"app:1"}, 400)).Add(Img("b", {"app:2"}, 400)).Disk(1000, 10);
  seen.seen().workloads = {Of("Deployment", "api", "app:1", 1, 2)};
  const Plan plan = MakePlan(policy, seen.seen());
  EXPECT_EQ(plan.decisions[ImagePos(0)].code, Code::kWorkload);
  EXPECT_EQ(plan.decisions[ImagePos(1)].code, Code::kCritical);
}

// Only retention.
Policy OnlyRetention(int last) {
  Policy policy = KeepingWorkloads();
  policy.maximum_age = Millis(0);
  policy.keep.last_per_repository = last;
  return policy;
}

TEST(Workload, ItsRepositoryIsInUse) {
  ObservationBuilder seen;
  for (const char* tag : {"app:v1", "app:v2", "app:v3"}) seen.Add(Img(tag, {tag}));
  const Policy policy = OnlyRetention(2);
  EXPECT_EQ(CodeOf(policy, seen.seen(), ImagePos(2)), Code::kIdle) << "a leftover";
  seen.seen().workloads = {Of("Deployment", "api", "app:v1", 1, 0)};
  EXPECT_EQ(CodeOf(policy, seen.seen(), ImagePos(0)), Code::kWorkload);
  EXPECT_EQ(CodeOf(policy, seen.seen(), ImagePos(1)), Code::kRetained);
  EXPECT_EQ(CodeOf(policy, seen.seen(), ImagePos(2)), Code::kRetained);
  seen.seen().workloads[0].revisions_back = 3;
  EXPECT_EQ(CodeOf(policy, seen.seen(), ImagePos(2)), Code::kIdle) << "one that does not count";
}

// The codes of app:v1 …, in order.
std::vector<Code> Codes(const Policy& policy, const Observation& seen) {
  std::vector<Code> codes;
  for (const Decision& decision : MakePlan(policy, seen).decisions) codes.push_back(decision.code);
  return codes;
}

TEST(Workload, RanksImagesByRolloutBeforeTheVersionInTheTag) {
  Policy policy = OnlyRetention(2);
  policy.keep.workloads.rollback_revisions = 0;
  ObservationBuilder seen;
  for (const char* tag : {"app:v1", "app:v2", "app:v3"}) seen.Add(Img(tag, {tag}));
  seen.Use("app:v3");
  EXPECT_THAT(Codes(policy, seen.seen()),
              ElementsAre(Code::kSuperseded, Code::kRetained, Code::kInUse));
  seen.seen().workloads = {Of("Deployment", "api", "app:v3", 3, 0),
                           Of("Deployment", "api", "app:v1", 2, 1),
                           Of("Deployment", "api", "app:v2", 1, 2)};
  EXPECT_THAT(Codes(policy, seen.seen()),
              ElementsAre(Code::kRetained, Code::kSuperseded, Code::kInUse));
  EXPECT_EQ(MakePlan(policy, seen.seen()).decisions[ImagePos(1)].superseded_by,
            "docker.io/library/app:v3");
}

TEST(Workload, RanksImagesByRolloutWhenTagsHaveNoOrder) {
  Policy policy = OnlyRetention(2);
  policy.keep.workloads.rollback_revisions = 0;
  ObservationBuilder seen;
  for (const char* tag : {"app:77c01de", "app:3f2a9bc", "app:a000000", "app:ffffff1"})
    seen.Add(Img(tag, {tag}));
  seen.seen().workloads = {Of("Deployment", "api", "app:3f2a9bc", 3, 0),
                           Of("Deployment", "api", "app:77c01de", 2, 1),
                           Of("Deployment", "api", "app:a000000", 1, 2)};
  EXPECT_THAT(Codes(policy, seen.seen()),
              ElementsAre(Code::kRetained, Code::kWorkload, Code::kSuperseded, Code::kRetained))
      << "of the one that no workload names nobody can tell";
  std::ranges::reverse(seen.seen().workloads);
  EXPECT_THAT(Codes(policy, seen.seen()),
              ElementsAre(Code::kRetained, Code::kWorkload, Code::kSuperseded, Code::kRetained));
}

TEST(Workload, RanksImagesByVersionWhenRolloutsGiveNoOrder) {
  Policy policy = OnlyRetention(1);
  policy.keep.workloads.rollback_revisions = 0;
  ObservationBuilder seen;
  for (const char* tag : {"app:v1", "app:v2", "app:v3"}) seen.Add(Img(tag, {tag}));
  const auto reference = [](std::string workload, std::string text, int back) {
    return Of("Deployment", std::move(workload), std::move(text), 9 - back, back);
  };
  const struct {
    const char* what;
    std::vector<WorkloadReference> workloads;
    std::vector<Code> codes;
  } cases[] = {
      {"what none names is newer by its tag",
       {reference("api", "app:v1", 1), reference("api", "app:v2", 2)},
       {Code::kSuperseded, Code::kSuperseded, Code::kIdle}},
      {"two workloads, none of which names both",
       {reference("api", "app:v2", 1), reference("web", "app:v3", 2)},
       {Code::kSuperseded, Code::kSuperseded, Code::kIdle}},
      {"two workloads that both name both",
       {reference("api", "app:v2", 1), reference("api", "app:v3", 2), reference("web", "app:v2", 2),
        reference("web", "app:v3", 1)},
       {Code::kSuperseded, Code::kSuperseded, Code::kIdle}},
      {"the one that names all",
       {reference("api", "app:v2", 1), reference("api", "app:v3", 2),
        reference("web", "app:v3", 3)},
       {Code::kSuperseded, Code::kIdle, Code::kSuperseded}},
      {"two of one revision",
       {reference("api", "app:v1", 1), reference("api", "app:v3", 1)},
       {Code::kIdle, Code::kSuperseded, Code::kIdle}},
  };
  for (const auto& [what, workloads, codes] : cases) {
    seen.seen().workloads = workloads;
    EXPECT_EQ(Codes(policy, seen.seen()), codes) << what;
  }
}

TEST(Workload, ARulesKeepLastCountsByItsRolloutsToo) {
  Policy policy = OnlyRetention(0);
  policy.keep.workloads.rollback_revisions = 0;
  Rule rule;
  rule.name = "last two";
  rule.keep_last = 2;
  rule.action = RuleAction::kRemove;
  policy.rules = {rule};
  ObservationBuilder seen;
  for (const char* tag : {"app:v1", "app:v2", "app:v3"}) seen.Add(Img(tag, {tag}));
  seen.seen().workloads = {Of("Deployment", "api", "app:v1", 3, 1),
                           Of("Deployment", "api", "app:v2", 2, 2),
                           Of("Deployment", "api", "app:v3", 1, 3)};
  EXPECT_THAT(Codes(policy, seen.seen()),
              ElementsAre(Code::kRetained, Code::kRetained, Code::kRule));
}

TEST(Workload, MarksItsImageAsRequiredInTheAnalysis) {
  ObservationBuilder seen;
  seen.Add(Img("a", {"app:1"})).Add(Img("b", {"idle:1"}));
  seen.seen().workloads = {Of("CronJob", "report", "app:1", 0, 0)};
  const Policy policy = KeepingWorkloads();
  const Analysis analysis = Analyze(
      policy, [&](Profile) -> Result<Policy> { return policy; }, seen.seen());
  EXPECT_EQ(analysis.required, ImagesAt(0));
  ASSERT_EQ(analysis.idle.size(), 1U);
  EXPECT_EQ(analysis.idle[0].image, ImagePos(1));
  EXPECT_EQ(analysis.options.back().name, "everything unused");
  EXPECT_EQ(analysis.options.back().breaks, ImagesAt(0));
}

}  // namespace
}  // namespace imagesweep
