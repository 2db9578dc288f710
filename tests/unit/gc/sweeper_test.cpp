#include "agent/gc/sweeper.h"

#include <gmock/gmock.h>

#include "tests/support/fake_layers.h"
#include "tests/support/fake_node.h"
#include "tests/support/policies.h"

namespace imagesweep {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A node with an old image that nothing needs. Every protection must come from the node itself.
struct SweeperTest : testing::Test {
  SweeperTest() {
    active.policy.minimum_age = Millis(0);
    active.policy.maximum_age = std::chrono::minutes(1);
    active.policy.limits.max_percent_of_images = 100;
    node.images.push_back(Img("old", {"old:1"}));
  }
  Report Sweep(bool dry_run = false) {
    return sweeper.Sweep(active, {dry_run, {}, {}}, stop.get_token());
  }
  // Observes everything once, and then lets it become old.
  void LetImagesAge() {
    ASSERT_FALSE(sweeper.Evaluate(active, stop.get_token()).refused);
    clock.Advance(std::chrono::minutes(2));
    node.calls.clear();
  }
  // 95 % of it are used, and the same space is available after a removal.
  void FillTheDisk(std::uint64_t available_then) {
    active.policy.disk = {{90, 80}, {0, 0}, {}};
    node.disk = DiskUsage{"/var", 1000, 50, 100, 100};
    node.on_call = [this, available_then](const std::string& call) -> std::optional<Error> {
      if (call == "Remove") node.disk = DiskUsage{"/var", 1000, available_then, 100, 100};
      return std::nullopt;
    };
  }

  FakeClock clock;
  FakeNode node{clock};
  std::unique_ptr<AgeStore> age_store = AgeStore::InMemory(clock);
  ActivePolicy active{DefaultOfPodsAlone(), {"test", "000000000000"}};
  std::stop_source stop;
  std::vector<ImageReference> recent;
  Sweeper sweeper{{node, &node, node, node, *age_store, clock}, "node1", std::nullopt, [this] {
                    return recent;
                  }};
};

TEST_F(SweeperTest, RemovesOnlyUnneededImages) {
  LetImagesAge();
  const Report report = Sweep();
  ASSERT_FALSE(report.refused);
  EXPECT_THAT(node.removed, ElementsAre(Id("old")));
  EXPECT_EQ(report.outcomes.at(0).kind, OutcomeKind::kRemoved);
  EXPECT_EQ(report.referenced_images, 1U);
  EXPECT_THAT(report.missing_after, IsEmpty());
  EXPECT_EQ(report.before->images, 2U);
  EXPECT_EQ(report.after->images, 1U);
}

TEST_F(SweeperTest, ReadsImagesFirstAndReferencesLast) {
  sweeper.Evaluate(active, stop.get_token());
  EXPECT_THAT(node.calls, ElementsAre("Identity", "ListImages", "ReadUse", "ReadPods",
                                      "ImageFilesystems", "Stat"));
}

// An image that is pulled and used between the two lists.
TEST_F(SweeperTest, AnImagePulledBetweenTheListsIsNotACandidate) {
  LetImagesAge();
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "ReadUse") node.images.push_back(Img("fresh", {"fresh:1"}));
    return std::nullopt;
  };
  Sweep();
  EXPECT_THAT(node.removed, Not(Contains(Id("fresh"))));
}

TEST_F(SweeperTest, ChoosesTheSameImagesInADryRunAndRemovesNothing) {
  LetImagesAge();
  const Report report = Sweep(/*dry_run=*/true);
  EXPECT_THAT(node.removed, IsEmpty());
  EXPECT_EQ(report.outcomes.at(0).kind, OutcomeKind::kWouldRemove);
  EXPECT_EQ(report.after->images, 2U) << "as it is";
  ASSERT_TRUE(report.predicted_after);
  EXPECT_EQ(report.predicted_after->images, 1U) << "as it would be";
  EXPECT_FALSE(Sweep().predicted_after) << "a run that removes measures";
}

TEST_F(SweeperTest, AbortsAndNamesTheSourceWhenAReadFails) {
  LetImagesAge();
  const std::pair<const char*, const char*> sources[] = {{"Identity", "runtime"},
                                                         {"ListImages", "images"},
                                                         {"ReadUse", "containers"},
                                                         {"ReadPods", "pods"}};
  for (const auto& [call, source] : sources) {
    node.on_call = [call = std::string(call)](const std::string& name) -> std::optional<Error> {
      if (name == call) return Error{ErrorKind::kUnavailable, "connection refused"};
      return std::nullopt;
    };
    const Report report = Sweep();
    ASSERT_TRUE(report.refused) << call;
    EXPECT_EQ(report.refused->source, source);
    EXPECT_THAT(node.removed, IsEmpty()) << call;
    EXPECT_THAT(report.plan.decisions, IsEmpty()) << "a view that is not believed decides nothing";
  }
  node.on_call = {};
  Sweep();
  EXPECT_THAT(node.removed, ElementsAre(Id("old"))) << "heals without a restart";
}

TEST_F(SweeperTest, DoesNotMarkAnImageUsedDuringUnwatchedTime) {
  LetImagesAge();
  node.on_call = [](const std::string& name) -> std::optional<Error> {
    if (name == "ReadPods") return Error{ErrorKind::kUnavailable, "away"};
    return std::nullopt;
  };
  ASSERT_TRUE(Sweep().refused);
  node.on_call = {};
  EXPECT_FALSE(Sweep().observation.ages[ImagePos(1)].just_seen);
}

TEST_F(SweeperTest, RefreshesLastUseByAShortLivedPodBetweenRuns) {
  LetImagesAge();
  recent.push_back({"old:1", {}, {ImageUserKind::kPod, "batch", "job", "main"}});
  Sweep();
  EXPECT_THAT(node.removed, IsEmpty());
}

// The age store of this test has no file, as on a node with a state directory that cannot be
// written.
TEST_F(SweeperTest, RestartsTheAgeOfAnImagePulledAgainBetweenRuns) {
  LetImagesAge();
  recent.push_back({std::string("came-again ") + Id("old"), {}, {}});
  Sweep();
  EXPECT_THAT(node.removed, IsEmpty());
  recent.clear();
  Sweep();
  EXPECT_THAT(node.removed, IsEmpty()) << "nor has it been idle since it was first seen";
}

// A pod that names it by an alias is bound to the node after the plan.
TEST_F(SweeperTest, RechecksWithTheShortNameAliasesOfCrio) {
  node.identity.name = "cri-o";
  node.images.push_back(Img("tool", {"quay.io/buildah/stable:v2"}));
  LetImagesAge();
  node.on_call = [this](const std::string& call) -> std::optional<Error> {
    if (call == "ImageStatus" && node.pods.pods.size() == 1) {
      node.pods.pods.push_back({"ci", "build", "uid-build"});
      node.pods.references.push_back(
          {"buildah:v2", {}, {ImageUserKind::kPod, "ci", "build", "main"}});
    }
    return std::nullopt;
  };
  const Report report = Sweep();
  EXPECT_THAT(node.removed, ElementsAre(Id("old")));
  ASSERT_EQ(report.outcomes.size(), 2U);
  EXPECT_EQ(report.outcomes[1].detail, "came into use by ci/build/main");
}

TEST_F(SweeperTest, WarnsAndRemovesNothingForSpaceWhenTheDiskUsageIsUnknown) {
  active.policy.maximum_age = Millis(0);
  active.policy.disk = {{1, 0}, {0, 0}, {}};
  LetImagesAge();
  node.disk = Error{ErrorKind::kUnavailable, "statvfs /var: No such file or directory"};
  const Report report = Sweep();
  EXPECT_THAT(node.removed, IsEmpty());
  EXPECT_THAT(report.warnings, Contains(HasSubstr("no image is removed to free space")));
}

TEST_F(SweeperTest, EvaluatesButRemovesNothingWhenSuspendedOrJustStarted) {
  LetImagesAge();
  active.policy.initial_delay = std::chrono::minutes(5);
  active.policy.limits.confirm_runs = 1;
  const Report evaluated = sweeper.Sweep(active, {false, Millis(299'999), {}}, stop.get_token());
  EXPECT_THAT(evaluated.stopped_early, HasSubstr("initialDelay"));
  EXPECT_EQ(evaluated.plan.removals.size(), 1U);
  active.policy.suspend = true;
  EXPECT_EQ(Sweep().stopped_early, "the policy is suspended");
  EXPECT_THAT(node.removed, IsEmpty());
}

// The override of a node by its labels, including dryRun.
TEST_F(SweeperTest, AppliesAnOverrideOnSelectedNodes) {
  Policy canary = active.policy;
  canary.dry_run = false;
  active.policy.overrides = {{{{"pool", "canary"}}, "", std::make_shared<const Policy>(canary)}};
  LetImagesAge();
  Report report = sweeper.Sweep(active, {}, stop.get_token());
  EXPECT_TRUE(report.dry_run);
  EXPECT_EQ(report.matched_override, "");
  EXPECT_THAT(node.removed, IsEmpty());
  node.pods.node_labels = {{"pool", "canary"}, {"zone", "a"}};
  report = sweeper.Sweep(active, {}, stop.get_token());
  EXPECT_FALSE(report.dry_run);
  EXPECT_EQ(report.matched_override, "pool=canary");
  EXPECT_THAT(node.removed, ElementsAre(Id("old")));
}

// After a reboot, or while the kubelet is down, the sandboxes are not ready, but the pods still
// need their images.
TEST_F(SweeperTest, RemovesNothingWithoutKubernetesWhenPodsOfAKubeletRemain) {
  LetImagesAge();
  const auto containers = std::exchange(node.use.container_pods, {});
  const auto sandboxes = std::exchange(node.use.ready_sandboxes, {});
  ASSERT_FALSE(containers.empty() || sandboxes.empty());
  Sweeper alone({node, nullptr, node, node, *age_store, clock}, "node1", std::nullopt);
  for (auto* left :
       {&node.use.container_pods, &node.use.ready_sandboxes, &node.use.stopped_sandboxes}) {
    *left = sandboxes;
    for (const std::uint64_t free_space_target : {0ULL, 1ULL << 60}) {
      SweepOptions options{false, {}, {}};
      options.free_space_target = free_space_target;
      const Report report = alone.Sweep(active, options, stop.get_token());
      ASSERT_TRUE(report.refused);
      EXPECT_EQ(report.refused->source, "pods");
      EXPECT_THAT(node.removed, IsEmpty());
    }
    // A dry run reports it before.
    const auto says = Contains(HasSubstr("would abort: found pods managed by a kubelet"));
    EXPECT_THAT(alone.Evaluate(active, stop.get_token()).warnings, says);
    EXPECT_THAT(alone.Sweep(active, {true, {}, {}}, stop.get_token()).warnings, says);
    left->clear();
  }
}

TEST_F(SweeperTest, WarnsThatOverridesAreIgnoredWithoutKubernetes) {
  active.policy.overrides = {
      {{{"pool", "canary"}}, "", std::make_shared<const Policy>(active.policy)}};
  Sweeper alone({node, nullptr, node, node, *age_store, clock}, "node1", std::nullopt);
  EXPECT_THAT(alone.Evaluate(active, stop.get_token()).warnings,
              Contains(HasSubstr("overrides by node labels are ignored")));
}

TEST_F(SweeperTest, ReportsTheNodeLabelsBeforeTheFirstRemoval) {
  node.pods.node_labels = {{"pool", "ci"}};
  std::vector<NodeLabels> labels;
  SweepOptions options{false, {}, {}};
  options.on_labels = [&](const NodeLabels& read) {
    EXPECT_THAT(node.removed, IsEmpty());
    labels.push_back(read);
  };
  sweeper.Sweep(active, options, stop.get_token());
  EXPECT_THAT(labels, ElementsAre(NodeLabels{{"pool", "ci"}}));
  node.pods.pods.clear();  // not believed
  labels.clear();
  sweeper.Sweep(active, options, stop.get_token());
  EXPECT_THAT(labels, IsEmpty());
}

// The first observation is at 22:13 UTC.
TEST_F(SweeperTest, StopsTheBatchWhenTheWindowCloses) {
  node.images.push_back(Img("old2", {"old2:1"}));
  active.policy.windows = {
      {{}, std::chrono::minutes(22 * 60), std::chrono::minutes(22 * 60 + 17), "UTC"}};
  LetImagesAge();
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "Remove") clock.Advance(std::chrono::minutes(2));
    return std::nullopt;
  };
  const Report report = Sweep();
  EXPECT_EQ(report.stopped_early, "the window closed");
  EXPECT_EQ(node.removed.size(), 1U);
}

TEST_F(SweeperTest, ReportsImagesOverTheirSizeLimitAndLeavesThem) {
  node.images.push_back(Img("fat", {"shop/fat:1"}, 2000));
  node.images.push_back(Img("slim", {"shop/slim:1"}, 1000));
  active.policy.maximum_age = Millis(0);
  active.policy.size_limits = {{*ImageGlob::Parse("shop/*"), 1000}};
  const Report report = Sweep();
  ASSERT_EQ(report.oversized.size(), 1U);
  EXPECT_EQ(report.observation.images[report.oversized[0].image].id.text(), Id("fat"));
  EXPECT_THAT(node.removed, IsEmpty());
}

TEST_F(SweeperTest, ReportsAnImageThatStaysAfterASuccessfulRemoval) {
  LetImagesAge();
  node.lists_what_it_removed = true;
  EXPECT_EQ(Sweep().outcomes.at(0).kind, OutcomeKind::kStillListed);
}

TEST_F(SweeperTest, AReferencedImageThatIsMissingAfterwardsIsReported) {
  LetImagesAge();
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "Remove")
      std::erase_if(node.images, [](const Image& i) { return i.id.text() == Id("kube-proxy"); });
    return std::nullopt;
  };
  EXPECT_THAT(Sweep().missing_after, ElementsAre("registry.k8s.io/kube-proxy:1"));
}

TEST_F(SweeperTest, RemovesNothingAfterASharpFallOfReferencesUntilConfirmed) {
  for (int i = 0; i < 6; ++i) {
    const std::string name = "p" + std::to_string(i);
    node.AddPod("shop", name, name + ":1");
    node.images.push_back(Img(name, {name + ":1"}));
  }
  LetImagesAge();
  for (int i = 0; i < 6; ++i) node.RemovePod("p" + std::to_string(i));
  const Report held = Sweep();
  ASSERT_TRUE(held.refused);
  EXPECT_EQ(held.refused->source, "references");
  EXPECT_THAT(node.removed, IsEmpty());
  clock.Advance(std::chrono::minutes(1));
  EXPECT_FALSE(Sweep().refused);
}

TEST_F(SweeperTest, WarnsOfAPatternThatLacksTheRegistry) {
  node.images.push_back(Img("api", {"registry.example/shop/api:1"}));
  active.policy.keep.images.push_back(*ImageGlob::Parse("shop/**"));
  EXPECT_THAT(sweeper.Evaluate(active, stop.get_token()).warnings,
              Contains(HasSubstr("to match registry.example/shop/api:1, write \"*/shop/**\"")));
}

TEST_F(SweeperTest, SaysThatTheCommandLineOverrodeThePolicysDryRun) {
  LetImagesAge();
  const auto says = Contains("the command line overrides dryRun: true of the policy");
  active.policy.dry_run = true;
  EXPECT_THAT(Sweep(/*dry_run=*/true).warnings, Not(says));
  EXPECT_THAT(Sweep().warnings, says);
  EXPECT_THAT(node.removed, ElementsAre(Id("old")));
  active.policy.dry_run = false;
  EXPECT_THAT(Sweep().warnings, Not(says));
}

TEST_F(SweeperTest, DoesNotWarnOfTooLittleSpaceWhenStopped) {
  active.policy.disk = {{90, 80}, {0, 0}, {}};
  node.disk = DiskUsage{"/var", 1000, 50, 100, 100};
  LetImagesAge();
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "Remove") stop.request_stop();
    return std::nullopt;
  };
  EXPECT_THAT(Sweep().warnings, Not(Contains(HasSubstr("could not free enough space"))));
}

TEST_F(SweeperTest, WarnsWhenNothingOnAFullDiskMayBeRemoved) {
  FillTheDisk(100);
  active.policy.minimum_age = std::chrono::hours(999);
  EXPECT_THAT(Sweep().warnings,
              Contains(HasSubstr("could not free enough space: disk usage went from 95% to 95%")));
  EXPECT_THAT(node.removed, IsEmpty());
}

// The goal is the free space, so the thresholds do not apply. The caller overrides dryRun, as for a
// sweep.
TEST_F(SweeperTest, IgnoresTheThresholdsForAFreeSpaceTarget) {
  active.policy.dry_run = true;
  FillTheDisk(60);
  LetImagesAge();
  SweepOptions options{false, {}, {}};
  options.free_space_target = 60;
  const Report report = sweeper.Sweep(active, options, stop.get_token());
  EXPECT_THAT(node.removed, ElementsAre(Id("old")));
  EXPECT_THAT(report.warnings, Not(Contains(HasSubstr("could not free enough space"))));
  EXPECT_THAT(report.warnings, Contains(HasSubstr("overrides dryRun: true of the policy")));
}

TEST_F(SweeperTest, WarnsOnceWhenTheStateDirectoryIsUnusable) {
  age_store = AgeStore::Open("/dev/null/state", clock, "boot");
  const auto history = History::Open("/dev/null/state", clock);
  Sweeper forgetful({node, &node, node, node, *age_store, clock, history.get()}, "node1",
                    std::nullopt);
  active.policy.minimum_age = std::chrono::hours(1);
  const Report report = forgetful.Sweep(active, {true, {}, {}}, stop.get_token());
  EXPECT_THAT(report.warnings,
              ElementsAre(testing::AllOf(
                  HasSubstr("/dev/null"),
                  testing::EndsWith("; ages are counted in memory, and no history is kept"))));
}

// K09: the run freed too little, and the image is removed nevertheless. The report shows both.
TEST_F(SweeperTest, WarnsWhenTooLittleSpaceWasFreed) {
  active.policy.maximum_age = Millis(0);
  FillTheDisk(100);
  LetImagesAge();
  const Report report = Sweep();
  EXPECT_THAT(node.removed, ElementsAre(Id("old")));
  EXPECT_THAT(report.warnings,
              Contains(HasSubstr("could not free enough space: disk usage went from 95% to 90%")));
}

// A stand-in for the workloads of the cluster.
struct FakeWorkloads final : WorkloadReader {
  Result<WorkloadEvidence> Read(SteadyTime, const std::stop_token&) override {
    if (error) return *error;
    WorkloadEvidence evidence;
    evidence.references = references;
    evidence.as_of = SteadyTime(std::chrono::hours(1));
    return evidence;
  }
  std::optional<Error> error;
  std::vector<WorkloadReference> references;
};

// With the default policy except for the ages.
struct SweeperWorkloadsTest : testing::Test {
  SweeperWorkloadsTest() {
    active.policy.minimum_age = Millis(0);
    active.policy.maximum_age = std::chrono::minutes(1);
    active.policy.limits.max_percent_of_images = 100;
    node.images.push_back(Img("old", {"old:1"}));
  }
  // The second of two runs, ten minutes apart.
  Report SweepWith(PodReader* pods, WorkloadReader* reader) {
    NodeDependencies parts{node, pods, node, node, *age_store, clock};
    parts.workloads = reader;
    Sweeper sweeper(parts, "node1", std::nullopt);
    SweepOptions options;
    options.dry_run = false;
    sweeper.Sweep(active, options, {});
    clock.Advance(std::chrono::minutes(10));
    return sweeper.Sweep(active, options, {});
  }

  FakeClock clock;
  FakeNode node{clock};
  FakeWorkloads workloads;
  std::unique_ptr<AgeStore> age_store = AgeStore::InMemory(clock);
  ActivePolicy active{Policy::Default(), {"test", "000000000000"}};
};

TEST_F(SweeperWorkloadsTest, KeepsImagesThatWorkloadsNeedByDefault) {
  WorkloadReference rollback;
  rollback.text = "old:1";
  rollback.kind = "Deployment";
  rollback.workload_namespace = "shop";
  rollback.name = "api";
  rollback.revisions_back = 1;
  workloads.references = {rollback};
  const Report report = SweepWith(&node, &workloads);
  ASSERT_FALSE(report.refused);
  EXPECT_EQ(report.plan.decisions[ImagePos(1)].code, Code::kWorkload);
  EXPECT_THAT(node.removed, IsEmpty());
  workloads.references.clear();
  EXPECT_FALSE(SweepWith(&node, &workloads).refused);
  EXPECT_THAT(node.removed, ElementsAre(Id("old")));
}

TEST_F(SweeperWorkloadsTest, AbortsWithAdviceWhenWorkloadsCannotBeRead) {
  workloads.error = Error{ErrorKind::kDenied, "workloads: replicasets.apps is forbidden"};
  for (WorkloadReader* const reader :
       {static_cast<WorkloadReader*>(&workloads), static_cast<WorkloadReader*>(nullptr)}) {
    const Report report = SweepWith(&node, reader);
    ASSERT_TRUE(report.refused);
    EXPECT_EQ(report.refused->source, "workloads");
    EXPECT_THAT(report.refused->error.what, HasSubstr("keep.workloads.enabled: false"));
  }
  EXPECT_THAT(node.removed, IsEmpty());
  active.policy.keep.workloads.enabled = false;
  EXPECT_FALSE(SweepWith(&node, nullptr).refused);
  EXPECT_THAT(node.removed, ElementsAre(Id("old")));
}

TEST_F(SweeperWorkloadsTest, ReadsNoWorkloadsWithoutACluster) {
  node.use.ready_sandboxes.clear();
  node.use.container_pods.clear();
  const Report report = SweepWith(nullptr, nullptr);
  EXPECT_FALSE(report.refused) << report.refused->error.what;
  EXPECT_FALSE(report.effective_policy.keep.workloads.enabled);
}

// The remover through the services of containerd.
struct NativeRemover final : ImageRemover {
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token&) override {
    if (std::string why = guard.WhyNot(); !why.empty()) return Removal::Skipped(std::move(why));
    removed.push_back(image.id.text());
    return Removal::kRemoved;
  }
  std::vector<std::string> removed;
};

ActivePolicy AllThatIsUnusedForAMinute() {
  ActivePolicy active{DefaultOfPodsAlone(), {"test", "000000000000"}};
  active.policy.minimum_age = Millis(0);
  active.policy.maximum_age = std::chrono::minutes(1);
  active.policy.limits.max_percent_of_images = 100;
  return active;
}

TEST(SweeperLayers, RemovesNothingWhenContainerdContainersCannotBeRead) {
  FakeClock clock;
  FakeNode node{clock};
  node.images.push_back(Img("idle", {"idle:1"}));
  const ActivePolicy active = AllThatIsUnusedForAMinute();
  FakeLayers layers;
  const auto age_store = AgeStore::InMemory(clock);
  NodeDependencies parts{node, &node, node, node, *age_store, clock};
  parts.layers = &layers;
  Sweeper sweeper(parts, "node1", std::nullopt);
  const auto run = [&](std::optional<Error> error) {
    layers.error = std::move(error);
    clock.Advance(std::chrono::minutes(10));
    SweepOptions options;
    options.dry_run = false;
    return sweeper.Sweep(active, options, {});
  };
  for (const auto part : {layers::Unread::What::kHolders, layers::Unread::What::kMounts}) {
    layers.unread = part;
    EXPECT_EQ(run(std::nullopt).refused->source, "containers");
    EXPECT_EQ(run(Error{ErrorKind::kUnavailable, "restarting"}).refused->source, "containers");
  }
  EXPECT_TRUE(node.removed.empty());
  for (int look = 0; look < 2; ++look)
    EXPECT_FALSE(run(Error{ErrorKind::kNotFound, "no containerd"}).refused);
  EXPECT_EQ(node.removed.size(), 1U) << "a runtime that has no such services";
}

// As with transient_store. Containers of Podman would be in the same unseen place.
TEST(SweeperLayers, RemovesNothingWhenTheStoreOfCrioListsNoneOfItsContainers) {
  FakeClock clock;
  FakeNode node{clock};
  node.images.push_back(Img("idle", {"idle:1"}));
  node.use.ids = {"c1"};
  const ActivePolicy active = AllThatIsUnusedForAMinute();
  FakeLayers layers;
  layers.records_of = layers::RecordsOf::kOtherStore;
  const auto age_store = AgeStore::InMemory(clock);
  NodeDependencies parts{node, &node, node, node, *age_store, clock};
  parts.layers = &layers;
  Sweeper sweeper(parts, "node1", std::nullopt);
  for (const bool crio : {true, false}) {
    node.identity.name = crio ? "cri-o" : "docker";
    for (int look = 0; look < 2; ++look) {
      clock.Advance(std::chrono::minutes(10));
      const Report report = sweeper.Sweep(active, {false, {}, {}}, {});
      EXPECT_EQ(report.refused && report.refused->source == "containers", crio);
    }
    EXPECT_EQ(node.removed.empty(), crio);
  }
}

// An unreadable size is no reason to use the way that sees less.
TEST(SweeperLayers, RemovesThroughContainerdWhenContentIsPartlyUnreadable) {
  FakeClock clock;
  FakeNode node{clock};
  NativeRemover native;
  node.images.push_back(Img("idle", {"idle:1"}));
  const ActivePolicy active = AllThatIsUnusedForAMinute();
  FakeLayers layers;
  layers.unread = layers::Unread::What::kObjects;
  const auto age_store = AgeStore::InMemory(clock);
  NodeDependencies parts{node, &node, node, node, *age_store, clock};
  parts.layers = &layers;
  parts.batch_remover = &native;
  Sweeper sweeper(parts, "node1", std::nullopt);
  for (int look = 0; look < 2; ++look) {
    clock.Advance(std::chrono::minutes(10));
    EXPECT_FALSE(sweeper.Sweep(active, {false, {}, {}}, {}).refused);
  }
  EXPECT_THAT(native.removed, testing::Contains(Id("idle")));
  EXPECT_THAT(node.removed, IsEmpty());
}

}  // namespace
}  // namespace imagesweep
