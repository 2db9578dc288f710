#include "agent/gc/remove/batch.h"

#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <map>
#include <semaphore>
#include <thread>

#include "agent/gc/remove/executor.h"
#include "tests/support/fake_node.h"

namespace imagesweep {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

// A node that removes up to fifty images at once, and five candidates.
struct BatchTest : testing::Test {
  BatchTest() {
    node.batch = 50;
    plan.decisions.emplace_back().code = Code::kInUse;
    for (const char* name : {"a", "b", "c", "d", "e"}) {
      node.images.push_back(Img(name, {std::string_view(name)}));
      Decision& decision = plan.decisions.emplace_back();
      decision.image = ImagePos(plan.decisions.size() - 1);
      decision.verdict = Verdict::kRemove;
      decision.code = Code::kAge;
      plan.removals.push_back(decision.image);
    }
  }
  Execution RunWith(ImageRemover& remover) {
    evidence = {node.identity, ByImage<Image>(node.images), node.use, node.pods, workloads};
    const ImageIndex index(evidence.images);
    return executor.Run(plan, policy, evidence, index, disk, remover, stop.get_token(), hooks);
  }
  Execution Run() { return RunWith(node); }
  void At(const std::string& call, int n, const std::function<void()>& change) {
    node.on_call = [=, seen = 0](const std::string& name) mutable -> std::optional<Error> {
      if (name == call && ++seen == n) change();
      return std::nullopt;
    };
  }
  struct Workloads final : WorkloadReader {
    Result<WorkloadEvidence> Read(SteadyTime not_the_list_of, const std::stop_token&) override {
      newer_than = not_the_list_of;
      if (on_read) on_read();
      return now;
    }
    std::function<void()> on_read;
    Result<WorkloadEvidence> now = WorkloadEvidence{};
    SteadyTime newer_than;
  };

  FakeClock clock;
  FakeNode node{clock};
  Workloads reader;
  std::optional<WorkloadEvidence> workloads;
  Plan plan;
  Policy policy;
  Evidence evidence;
  Expectations expected;
  std::optional<DiskUsage> disk;
  std::stop_source stop;
  Executor::Hooks hooks;
  Executor executor{node, &node, &reader, node, expected, clock};
};

TEST_F(BatchTest, RechecksOnceForTheWholeBatchAfterItBegins) {
  const Execution execution = Run();
  EXPECT_THAT(node.calls,
              ElementsAre("BeginBatch", "ReadPods", "ListImages", "ReadUse", "ReadContainers",
                          "ReadPods", "Remove", "Remove", "Remove", "Remove", "Remove", "Reclaim"));
  EXPECT_EQ(execution.outcomes.size(), 5U);
  EXPECT_EQ(execution.recheck_window_seconds.size(), 5U);
}

TEST_F(BatchTest, SkipsOnlyTheImageThatChanged) {
  struct Case {
    const char* why;
    std::function<void()> change;
    const char* says;
  };
  const Case cases[] = {
      {"a pod was bound",
       [&] {
         node.pods.references.push_back(
             {"c:latest", {}, {ImageUserKind::kPod, "shop", "new", "web"}});
       },
       "shop/new/web"},
      {"a container was made",
       [&] {
         node.use.references.push_back(
             {Id("c"), {}, {ImageUserKind::kContainer, "shop", "new", "web"}});
       },
       "came into use"},
      {"it became the pause image", [&] { node.use.sandbox_images.push_back("c:latest"); },
       "pause"},
      {"it was pinned", [&] { node.images[3].pinned = true; }, "pinned"},
      {"it got another tag", [&] { node.images[3].tags.push_back(ImageName::Parse("c:prod")); },
       "names changed"},
      {"another process removed it", [&] { node.images.erase(node.images.begin() + 3); },
       "no longer exists"},
  };
  const FakeNode fresh = node;
  for (const auto& c : cases) {
    node = fresh;
    At("ListImages", 1, c.change);
    const Execution execution = Run();
    EXPECT_THAT(node.removed, ElementsAre(Id("a"), Id("b"), Id("d"), Id("e"))) << c.why;
    const auto skipped =
        std::ranges::find(execution.outcomes, OutcomeKind::kSkipped, &Outcome::kind);
    ASSERT_NE(skipped, execution.outcomes.end()) << c.why;
    EXPECT_THAT(skipped->detail, HasSubstr(c.says)) << c.why;
  }
}

// BeginBatch may take long, so nothing that must be fresh is read before it.
TEST_F(BatchTest, ReadsWorkloadsBeforeImages) {
  workloads.emplace().as_of = clock.Steady();
  clock.Advance(Millis(10));
  reader.on_read = [&] { node.calls.emplace_back("ReadWorkloads"); };
  Run();
  ASSERT_GE(node.calls.size(), 8U);
  node.calls.resize(8);
  EXPECT_THAT(node.calls, ElementsAre("BeginBatch", "ReadPods", "ReadWorkloads", "ReadPods",
                                      "ListImages", "ReadUse", "ReadContainers", "ReadPods"));
  const Millis most = expected.max_pod_list_age;
  EXPECT_THAT(node.pod_ages, ElementsAre(most / 2, most / 2, most)) << "it may have expired since";
  EXPECT_EQ(reader.newer_than, workloads->as_of) << "the list that the plan was made by is none";
}

// Expired evidence would have to be read again right before the removal.
TEST_F(BatchTest, ListsPodsAgainBeforeTheRecheckWhenTheListIsHalfExpired) {
  Run();
  EXPECT_THAT(node.pod_ages, ElementsAre(expected.max_pod_list_age / 2, expected.max_pod_list_age));
}

// A pod started and ended during the observation: the first view contradicts itself, the second
// does not, and the node has just used the image.
TEST_F(BatchTest, KeepsAnImageThatAnInconsistentRecheckFoundInUse) {
  const RuntimeUse before = node.use;
  node.on_call = [&, looks = 0](const std::string& call) mutable -> std::optional<Error> {
    if (call != "ReadUse") return std::nullopt;
    if (++looks == 1) {
      node.use.references.push_back({Id("c"), {}, {ImageUserKind::kContainer, "shop", "new", "w"}});
      node.use.ready_sandboxes.push_back({"shop", "new", "uid-new"});
    } else {
      node.use = before;
    }
    return std::nullopt;
  };
  const Execution execution = Run();
  EXPECT_EQ(std::ranges::count(node.calls, "ReadUse"), 2);
  EXPECT_FALSE(execution.refused);
  EXPECT_THAT(node.removed, ElementsAre(Id("a"), Id("b"), Id("d"), Id("e")));
}

TEST_F(BatchTest, SkipsAnImageThatAWorkloadStartedToNeed) {
  const FakeNode fresh = node;
  workloads = WorkloadEvidence{{{.text = "a",
                                 .kind = "Job",
                                 .workload_namespace = "shop",
                                 .name = "known",
                                 .container = "main"}},
                               {},
                               {}};
  reader.now = *workloads;
  (*reader.now)
      .references.push_back({.text = "d",
                             .kind = "Job",
                             .workload_namespace = "shop",
                             .name = "migrate",
                             .container = "main"});
  const Execution execution = Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("a"), Id("b"), Id("c"), Id("e")))
      << "the plan judged what it knew";
  EXPECT_THAT(execution.outcomes[0].detail, HasSubstr("Job shop/migrate"));

  reader.now = Error{ErrorKind::kUnavailable, "the index is away"};
  node = fresh;
  EXPECT_EQ(Run().refused->source, "workloads");
  EXPECT_THAT(node.removed, IsEmpty());
}

TEST_F(BatchTest, SkipsImagesToWhichAdmissionMayChangeTheNameOfANewWorkload) {
  node.images[ImagePos(1).value()].tags = {ImageName::Parse("mirror.example/shop/d:1")};
  Image& pinned = node.images[ImagePos(2).value()];
  pinned.tags.clear();
  pinned.digests = {ImageName::Parse("docker.io/shop/d@" + Id("digest"))};
  workloads = WorkloadEvidence{};
  reader.now = *workloads;
  (*reader.now).references = {{.text = "docker.io/shop/d:1",
                               .kind = "Job",
                               .workload_namespace = "shop",
                               .name = "migrate",
                               .container = "main"}};
  const Execution execution = Run();
  EXPECT_THAT(
      execution.outcomes[0].detail,
      HasSubstr(
          "now named by Job shop/migrate as docker.io/shop/d:1, which admission may change to"));
  EXPECT_EQ(execution.outcomes[0].kind, OutcomeKind::kSkipped);
  EXPECT_EQ(execution.outcomes[1].kind, OutcomeKind::kSkipped);
  EXPECT_EQ(node.removed.size(), 3U);
}

TEST_F(BatchTest, RechecksTheRestWhenTheRecheckIsOlderThan50Ms) {
  At("Remove", 2, [&] { clock.Advance(Millis(51)); });
  Run();
  EXPECT_THAT(node.calls,
              ElementsAre("BeginBatch", "ReadPods", "ListImages", "ReadUse", "ReadContainers",
                          "ReadPods", "Remove", "Remove", "ReadPods", "ListImages", "ReadUse",
                          "ReadContainers", "ReadPods", "Remove", "Remove", "Remove", "Reclaim"));
}

TEST_F(BatchTest, SkipsAnImageThatTheNextRecheckFindsInUse) {
  At("Remove", 2, [&] {
    clock.Advance(Millis(51));
    node.use.references.push_back({Id("d"), {}, {ImageUserKind::kContainer, "shop", "x", "y"}});
  });
  Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("a"), Id("b"), Id("c"), Id("e")));
}

TEST_F(BatchTest, RemovesNothingAndReportsTheCauseWhenItCannotBegin) {
  node.on_call = [](const std::string& call) -> std::optional<Error> {
    if (call == "BeginBatch") return Error{ErrorKind::kUnavailable, "a download is under way"};
    return std::nullopt;
  };
  const Execution execution = Run();
  EXPECT_THAT(node.calls, ElementsAre("BeginBatch", "Reclaim"));
  EXPECT_EQ(execution.stopped_early, "a download is under way");
  EXPECT_THAT(execution.outcomes, Each(Field(&Outcome::kind, OutcomeKind::kSkipped)));
}

// Copies of images take time, and the policy may be edited meanwhile.
TEST_F(BatchTest, StopsOnAReasonThatAppearsWhileTheBatchBegins) {
  bool edited = false;
  At("BeginBatch", 1, [&] { edited = true; });
  hooks.reason_to_end = [&] { return edited ? std::string("the policy was edited") : ""; };
  const Execution execution = Run();
  EXPECT_THAT(node.removed, IsEmpty());
  EXPECT_EQ(execution.stopped_early, "the policy was edited");

  node.calls.clear();
  At("BeginBatch", 1, [&] { clock.Advance(std::chrono::minutes(11)); });
  hooks.reason_to_end = {};
  EXPECT_THAT(Run().stopped_early, HasSubstr("older than 10m"));
  EXPECT_THAT(node.removed, IsEmpty());
}

TEST_F(BatchTest, CountsAnImageThatTheRemoverSkipsAsSkipped) {
  node.spares = Id("b");
  const Execution execution = Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("a"), Id("c"), Id("d"), Id("e")));
  EXPECT_EQ(execution.outcomes[0].kind, OutcomeKind::kSkipped);
  EXPECT_EQ(execution.outcomes[0].detail, "something else holds it");
}

TEST_F(BatchTest, CountsAnAbsentImageAsRemovedWhenItsRemovalFailed) {
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call != "Remove") return std::nullopt;
    std::erase_if(node.images, [](const Image& image) { return image.id.text() == Id("a"); });
    return Error{ErrorKind::kDeadline, "no answer within 2m"};
  };
  Execution execution = Run();
  executor.Verify(evidence, node.images, execution.outcomes);
  EXPECT_EQ(execution.outcomes[0].kind, OutcomeKind::kRemoved);
  EXPECT_THAT(execution.outcomes[0].detail, HasSubstr("no answer within 2m"));
  EXPECT_EQ(execution.outcomes[1].kind, OutcomeKind::kFailed);
}

TEST_F(BatchTest, ReclaimsSpaceAfterAnyOutcome) {
  const FakeNode fresh = node;
  struct Case {
    const char* why;
    std::function<std::optional<Error>(const std::string&)> on_call;
    std::size_t removed;
  };
  const Case cases[] = {
      {"shutting down",
       [&](const std::string& call) -> std::optional<Error> {
         if (call == "Remove") stop.request_stop();
         return std::nullopt;
       },
       1},
      {"a source is lost",
       [&, looks = 0](const std::string& call) mutable -> std::optional<Error> {
         if (call == "Remove") clock.Advance(Millis(30));
         if (call == "ReadUse" && ++looks == 2) return Error{ErrorKind::kUnavailable, "refused"};
         return std::nullopt;
       },
       2},
      {"all fail",
       [](const std::string& call) -> std::optional<Error> {
         if (call == "Remove") return Error{ErrorKind::kInternal, "busy"};
         return std::nullopt;
       },
       0},
  };
  for (const Case& c : cases) {
    node = fresh;
    stop = {};
    node.on_call = c.on_call;
    Run();
    EXPECT_EQ(node.removed.size(), c.removed) << c.why;
    EXPECT_EQ(node.calls.back(), "Reclaim") << c.why;
  }
}

TEST_F(BatchTest, ReclaimsSpaceOnceForAllBatches) {
  node.batch = 2;
  At("Reclaim", 1, [&] { clock.Advance(Millis(300)); });
  const Execution execution = Run();
  EXPECT_EQ(std::ranges::count(node.calls, "BeginBatch"), 3);
  EXPECT_EQ(std::ranges::count(node.calls, "Reclaim"), 1);
  EXPECT_EQ(node.calls.back(), "Reclaim");
  EXPECT_GE(execution.seconds, 0.3);
}

TEST_F(BatchTest, ReclaimsSpaceBeforeALongPause) {
  node.batch = 2;
  policy.limits.removal_delay = std::chrono::minutes(1);
  Run();
  EXPECT_EQ(std::ranges::count(node.calls, "Reclaim"), 4);
}

TEST_F(BatchTest, ReportsNoTimeWhenNoBatchBegins) {
  hooks.reason_to_end = [] { return std::string("the window closed"); };
  EXPECT_FALSE(Run().seconds);
}

// Space that is still being freed must not look missing, even from the previous run.
TEST_F(BatchTest, ReclaimsSpaceOfAnEarlierRunBeforeReadingTheDisk) {
  policy.disk = {{75, 65}, {0, 0}, {}};
  disk = DiskUsage{"/var", 1000, 100, 100, 100};
  node.disk = disk.value();
  for (const auto at : plan.removals) plan.decisions[at].code = Code::kSpace;
  At("Reclaim", 1, [&] { node.disk = DiskUsage{"/var", 1000, 360, 100, 100}; });
  Run();
  EXPECT_THAT(node.removed, IsEmpty());
}

TEST_F(BatchTest, ReclaimsSpaceBeforeReadingTheDisk) {
  policy.disk = {{75, 65}, {0, 0}, {}};
  disk = DiskUsage{"/var", 1000, 100, 100, 100};
  node.disk = disk.value();
  const auto last = plan.removals.back();
  plan.decisions[last].code = Code::kSpace;
  At("Reclaim", 2, [&] { node.disk = DiskUsage{"/var", 1000, 360, 100, 100}; });
  const Execution execution = Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("a"), Id("b"), Id("c"), Id("d")));
  EXPECT_THAT(execution.outcomes.back().detail, HasSubstr("lowThresholdPercent is reached"));
}

TEST_F(BatchTest, ReportsAFailedReclaim) {
  node.on_call = [](const std::string& call) -> std::optional<Error> {
    if (call == "Reclaim") return Error{ErrorKind::kDeadline, "Leases.Delete: no answer within 2m"};
    return std::nullopt;
  };
  const Execution execution = Run();
  EXPECT_EQ(node.removed.size(), 5U);
  EXPECT_THAT(execution.stopped_early, HasSubstr("Leases.Delete"));
}

TEST_F(BatchTest, ObeysMaxFailuresWithinABatch) {
  policy.limits.max_failures = 2;
  node.on_call = [](const std::string& call) -> std::optional<Error> {
    if (call == "Remove") return Error{ErrorKind::kInternal, "busy"};
    return std::nullopt;
  };
  const Execution execution = Run();
  EXPECT_EQ(std::ranges::count(node.calls, "Remove"), 2);
  EXPECT_EQ(execution.stopped_early, "limits.maxFailures 2 reached");
}

TEST_F(BatchTest, RemovesForSpaceAsManyAsTheLayersRequire) {
  policy.disk = {{75, 65}, {0, 0}, {}};
  disk = DiskUsage{"/var", 1000, 100, 100, 100};
  node.disk = disk.value();
  for (const auto at : plan.removals) {
    plan.decisions[at].code = Code::kSpace;
    plan.decisions[at].frees = 100;
  }
  // 250 are missing. Three images should free 300, but do not.
  node.on_call = [&, ended = 0](const std::string& call) mutable -> std::optional<Error> {
    if (call == "Reclaim")
      node.disk = DiskUsage{"/var", 1000, ++ended == 1 ? 100U : ended == 2 ? 280U : 380U, 100, 100};
    return std::nullopt;
  };
  Run();
  EXPECT_EQ(std::ranges::count(node.calls, "BeginBatch"), 2);
  EXPECT_EQ(node.removed.size(), 4U) << "three at first, then as many as are still missing";
}

TEST_F(BatchTest, RemovesForSpaceOneByOneWithoutKnownLayers) {
  policy.disk = {{75, 65}, {0, 0}, {}};
  disk = DiskUsage{"/var", 1000, 100, 100, 100};
  node.disk = disk.value();
  for (const auto at : plan.removals) plan.decisions[at].code = Code::kSpace;
  At("Reclaim", 3, [&] { node.disk = DiskUsage{"/var", 1000, 360, 100, 100}; });
  Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("a"), Id("b")));
}

// Two calls that wait for each other can only end if both are in progress.
struct InPairs final : ImageRemover {
  explicit InPairs(FakeClock& its) : clock(its) {}
  std::size_t batch_size() const override { return 2; }
  std::size_t in_flight() const override { return 2; }
  Result<Removal> Remove(const Image&, DeletionGuard& guard, const std::stop_token&) override {
    EXPECT_EQ(guard.WhyNot(), "");
    both.arrive_and_wait();
    clock.Advance(kMaxRecheckWindow);
    return Removal::kRemoved;
  }
  FakeClock& clock;
  std::latch both{2};
};

// Three calls at once, and all of them fail: together they must not exceed the limit.
struct Failing final : ImageRemover {
  std::size_t batch_size() const override { return 50; }
  std::size_t in_flight() const override { return 3; }
  Result<Removal> Remove(const Image&, DeletionGuard&, const std::stop_token&) override {
    ++tried;
    std::this_thread::sleep_for(Millis(5));
    return Error{ErrorKind::kInternal, "busy"};
  }
  std::atomic<int> tried = 0;
};

TEST_F(BatchTest, ObeysMaxFailuresForConcurrentRemovals) {
  policy.limits.max_failures = 2;
  Failing remover;
  EXPECT_EQ(RunWith(remover).stopped_early, "limits.maxFailures 2 reached");
  EXPECT_EQ(remover.tried, 2);
}

TEST_F(BatchTest, RemovesSeveralImagesConcurrently) {
  plan.removals.resize(2);
  InPairs remover(clock);
  EXPECT_THAT(RunWith(remover).outcomes,
              AllOf(testing::SizeIs(2), Each(Field(&Outcome::kind, OutcomeKind::kRemoved))));
  EXPECT_EQ(std::ranges::count(node.calls, "ReadUse"), 1) << "nothing is left to look at";
}

// While b is in progress, a takes so long that the recheck would be too old for the last images. b
// ends when c begins or, if c does not, a moment later.
struct Slow final : ImageRemover {
  explicit Slow(FakeClock& its) : clock(its) {}
  std::size_t batch_size() const override { return 50; }
  std::size_t in_flight() const override { return 2; }
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token&) override {
    if (std::string why = guard.WhyNot(); !why.empty()) return Removal::Skipped(std::move(why));
    const std::string& id = image.id.text();
    if (id == Id("a")) {
      b_began.wait();
      clock.Advance(Millis(40));
    } else if (id == Id("b")) {
      b_began.count_down();
      (void)c_began.try_acquire_for(Millis(200));
    } else if (id == Id("c")) {
      c_began.release();
    }
    return Removal::kRemoved;
  }
  FakeClock& clock;
  std::latch b_began{1};
  std::binary_semaphore c_began{0};
};

TEST_F(BatchTest, RechecksWhileRemovalsAreInProgress) {
  At("ReadUse", 2, [&] {
    node.use.references.push_back({Id("c"), {}, {ImageUserKind::kContainer, "shop", "new", "web"}});
  });
  Slow remover(clock);
  const Execution execution = RunWith(remover);
  EXPECT_EQ(std::ranges::count(node.calls, "ReadUse"), 2) << "and it serves the others";
  EXPECT_EQ(std::ranges::count(execution.outcomes, OutcomeKind::kRemoved, &Outcome::kind), 4);
  const auto skipped = std::ranges::find(execution.outcomes, OutcomeKind::kSkipped, &Outcome::kind);
  ASSERT_NE(skipped, execution.outcomes.end());
  EXPECT_EQ(evidence.images[skipped->image].id.text(), Id("c"));
  EXPECT_THAT(execution.recheck_window_seconds, Each(testing::Le(0.05)));
}

TEST_F(BatchTest, StopsWhenALaterRecheckFails) {
  node.on_call = [looks = 0](const std::string& call) mutable -> std::optional<Error> {
    if (call == "ReadUse" && ++looks == 2) return Error{ErrorKind::kUnavailable, "refused"};
    return std::nullopt;
  };
  Slow remover(clock);
  const Execution execution = RunWith(remover);
  EXPECT_TRUE(execution.refused);
  EXPECT_EQ(std::ranges::count(execution.outcomes, OutcomeKind::kRemoved, &Outcome::kind), 2);
  EXPECT_EQ(execution.outcomes.size(), 5U);
}

TEST_F(BatchTest, RechecksAgainWhenARecheckIsTooOld) {
  At("ReadPods", 4, [&] { clock.Advance(Millis(60)); });
  Slow remover(clock);
  const Execution execution = RunWith(remover);
  EXPECT_EQ(std::ranges::count(node.calls, "ReadUse"), 3);
  EXPECT_EQ(std::ranges::count(execution.outcomes, OutcomeKind::kRemoved, &Outcome::kind), 5);
  EXPECT_THAT(execution.recheck_window_seconds, Each(testing::Le(0.05)));
}

// A recheck may be too old for a removal. What it saw is not older than the plan.
TEST_F(BatchTest, KeepsAnImageThatATooOldRecheckFoundInUse) {
  node.on_call = [&, looks = 0, pods = 0](const std::string& call) mutable -> std::optional<Error> {
    if (call == "ReadUse" && ++looks == 2)
      node.use.references.push_back({Id("c"), {}, {ImageUserKind::kContainer, "shop", "new", "w"}});
    if (call == "ReadUse" && looks == 3) node.use.references.pop_back();
    if (call == "ReadPods" && ++pods == 4) clock.Advance(Millis(60));
    return std::nullopt;
  };
  Slow remover(clock);
  const Execution execution = RunWith(remover);
  EXPECT_EQ(std::ranges::count(node.calls, "ReadUse"), 3);
  const auto skipped = std::ranges::find(execution.outcomes, OutcomeKind::kSkipped, &Outcome::kind);
  ASSERT_NE(skipped, execution.outcomes.end());
  EXPECT_EQ(evidence.images[skipped->image].id.text(), Id("c"));
  EXPECT_THAT(skipped->detail, HasSubstr("came into use"));
}

TEST_F(BatchTest, KeepsAnImageThatWasInUseBeforeTheBatchRestarted) {
  node.holds = [asked = 0](const auto&) mutable { return ++asked > 1; };
  node.on_call = [&, looks = 0](const std::string& call) mutable -> std::optional<Error> {
    if (call != "ReadUse") return std::nullopt;
    if (++looks == 1)
      node.use.references.push_back({Id("c"), {}, {ImageUserKind::kContainer, "shop", "new", "w"}});
    else
      node.use.references.pop_back();
    return std::nullopt;
  };
  const Execution execution = Run();
  EXPECT_EQ(std::ranges::count(node.calls, "BeginBatch"), 2);
  EXPECT_EQ(std::ranges::count(execution.outcomes, OutcomeKind::kRemoved, &Outcome::kind), 4);
  EXPECT_THAT(node.removed, testing::Not(testing::Contains(Id("c"))));
}

// No image is left that an early recheck would serve.
TEST_F(BatchTest, SkipsARecheckThatNoImageNeeds) {
  plan.removals.resize(3);
  Slow remover(clock);
  const Execution execution = RunWith(remover);
  EXPECT_EQ(std::ranges::count(node.calls, "ReadUse"), 1);
  EXPECT_EQ(std::ranges::count(execution.outcomes, OutcomeKind::kRemoved, &Outcome::kind), 3);
}

// The last image also needs the question whether the records still hold.
TEST_F(BatchTest, RechecksTheLastImageWithItsStatusAfterARestart) {
  plan.removals.resize(2);
  node.spares = Id("b");
  node.holds = [asked = 0](const auto&) mutable { return ++asked > 1; };
  Run();
  EXPECT_THAT(node.calls,
              ElementsAre("BeginBatch", "ReadPods", "ListImages", "ReadUse", "ReadContainers",
                          "ReadPods", "BeginBatch", "ReadPods", "ImageStatus", "ReadUse",
                          "ReadContainers", "ReadPods", "Remove", "Reclaim"));
}

TEST_F(BatchTest, RestartsTheBatchWhenItsRecordsAreOutdated) {
  node.holds = [asked = 0](const std::vector<Image>& listed) mutable {
    EXPECT_EQ(listed.size(), 6U);
    return ++asked > 1;
  };
  Run();
  EXPECT_THAT(node.calls, ElementsAre("BeginBatch", "ReadPods", "ListImages", "ReadUse",
                                      "ReadContainers", "ReadPods", "BeginBatch", "ReadPods",
                                      "ListImages", "ReadUse", "ReadContainers", "ReadPods",
                                      "Remove", "Remove", "Remove", "Remove", "Remove", "Reclaim"));
}

TEST_F(BatchTest, RemovesNothingWhileNewImagesKeepAppearing) {
  node.holds = [](const auto&) { return false; };
  const Execution execution = Run();
  EXPECT_THAT(node.removed, IsEmpty());
  EXPECT_THAT(execution.outcomes,
              Each(Field(&Outcome::detail, HasSubstr("new images keep appearing"))));
  EXPECT_EQ(execution.outcomes.size(), 5U);
}

// An answer is as old as its request, however long it takes.
TEST_F(BatchTest, RemovesNothingAndReportsARuntimeThatListsContainersSlowly) {
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "ReadContainers") clock.Advance(Millis(180));
    return std::nullopt;
  };
  const Execution execution = Run();
  EXPECT_THAT(node.removed, IsEmpty());
  EXPECT_THAT(execution.outcomes, testing::SizeIs(5));
  EXPECT_THAT(execution.outcomes,
              Each(AllOf(Field(&Outcome::kind, OutcomeKind::kSkipped),
                         Field(&Outcome::detail,
                               "the runtime took 180ms to list containers; a removal must follow "
                               "within 50ms of the request"))));
  EXPECT_FALSE(execution.refused);
  EXPECT_THAT(execution.stopped_early, HasSubstr("the runtime took 180ms"));
  EXPECT_EQ(std::ranges::count(node.calls, "ReadContainers"), 12) << "for two seconds";

  node.calls.clear();
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "ReadContainers") clock.Advance(std::chrono::seconds(5));
    return std::nullopt;
  };
  EXPECT_THAT(Run().stopped_early, HasSubstr("the runtime took 5s to list containers"));
  EXPECT_EQ(std::ranges::count(node.calls, "ReadContainers"), kMaxStaleRechecks);
  EXPECT_THAT(node.removed, IsEmpty());
}

TEST_F(BatchTest, AcceptsASlowRecheckWithFreshContainers) {
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "ListImages" || call == "ReadUse") clock.Advance(Millis(200));
    if (call == "ReadContainers") clock.Advance(Millis(30));
    return std::nullopt;
  };
  const Execution execution = Run();
  EXPECT_EQ(node.removed.size(), 5U);
  EXPECT_THAT(execution.recheck_window_seconds, Each(0.03));
}

// The process is stopped while the answer is on its way, or after it.
TEST_F(BatchTest, NoticesAPauseBeforeTheNextStep) {
  const FakeNode fresh = node;
  for (const char* call : {"ReadContainers", "ReadPods", "Remove"}) {
    for (int n = 1; n <= 3; ++n) {
      node = fresh;
      At(call, n, [&] {
        clock.Advance(std::chrono::seconds(5));
        node.use.references.push_back({Id("e"), {}, {ImageUserKind::kContainer, "shop", "x", "y"}});
      });
      const Execution execution = Run();
      if (std::ranges::count(node.calls, call) < n) continue;
      EXPECT_THAT(node.removed, testing::Not(testing::Contains(Id("e")))) << call << " " << n;
      EXPECT_THAT(execution.recheck_window_seconds, Each(testing::Le(0.05))) << call << " " << n;
    }
  }
}

// An image that a `ctr run` uses at this moment.
struct OfAnotherClient final : ImageRemover {
  explicit OfAnotherClient(FakeNode& its) : node(its) {}
  std::size_t batch_size() const override { return 50; }
  Result<std::vector<ImageReference>> ReadNonCriContainers(const std::vector<std::string>& listed,
                                                           const std::stop_token&) override {
    EXPECT_THAT(listed, testing::Contains("listed-by-the-cri"));
    if (error) return *error;
    return references;
  }
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override {
    return node.Remove(image, guard, stop);
  }
  FakeNode& node;
  std::vector<ImageReference> references;
  std::optional<Error> error;
};

TEST_F(BatchTest, RechecksContainersThatTheCriDoesNotList) {
  node.use.ids = {"listed-by-the-cri"};
  OfAnotherClient remover(node);
  remover.references.push_back({Id("b"), {}, {ImageUserKind::kContainer, "", "", "by-hand"}});
  Execution execution = RunWith(remover);
  EXPECT_THAT(node.removed, ElementsAre(Id("a"), Id("c"), Id("d"), Id("e")));
  EXPECT_EQ(execution.outcomes.front().detail, "came into use by by-hand");

  node.removed.clear();
  node.images = evidence.images;
  remover.error = Error{ErrorKind::kUnavailable, "containerd is restarting"};
  execution = RunWith(remover);
  EXPECT_THAT(node.removed, IsEmpty());
  EXPECT_EQ(execution.refused->source, "containers") << "not to see them is not to have none";
}

// A command has no watch: the list from before the batch does not show the current pods.
TEST_F(BatchTest, ListsPodsOncePerBatchWithoutAWatch) {
  node.watches_pods = false;
  node.batch = 3;
  At("Remove", 2, [&] { clock.Advance(Millis(60)); });
  Run();
  const Millis most = expected.max_pod_list_age;
  EXPECT_THAT(node.pod_ages, ElementsAre(Millis(0), most, Millis(60), most, Millis(0), most));

  node.pod_ages.clear();
  node.images = evidence.images;
  node.calls.clear();
  At("Remove", 2, [&] { clock.Advance(Millis(9'000)); });
  Run();
  EXPECT_EQ(node.pod_ages[2], Millis(2'000)) << "a batch that takes long lists them once more";
}

// The runtime says which of its containers uses the image, but does not list that container.
struct RefusesB final : ImageRemover {
  std::size_t batch_size() const override { return 50; }
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token&) override {
    EXPECT_EQ(guard.WhyNot(), "");
    ++tried[image.id.text()];
    if (image.id.text() != Id("b")) return Removal::kRemoved;
    return Removal::InUseElsewhere("RemoveImage: UNKNOWN: image is in use by 12ab");
  }
  std::map<std::string, int> tried;
};

TEST_F(BatchTest, SkipsAnImageInUseOutsideTheCriAndRetriesItLater) {
  policy.limits.max_failures = 1;
  RefusesB remover;
  Execution execution = RunWith(remover);
  EXPECT_EQ(execution.stopped_early, "");
  ASSERT_EQ(execution.outcomes.size(), 5U);
  EXPECT_EQ(execution.outcomes[1].kind, OutcomeKind::kSkipped);
  EXPECT_EQ(execution.outcomes[1].detail,
            "skipped, in use outside the CRI: RemoveImage: UNKNOWN: image is in use by 12ab");
  EXPECT_EQ(std::ranges::count(execution.outcomes, OutcomeKind::kRemoved, &Outcome::kind), 4);

  clock.Advance(std::chrono::minutes(9));
  execution = RunWith(remover);
  EXPECT_EQ(remover.tried[Id("b")], 1);
  const auto skipped = std::ranges::find(execution.outcomes, OutcomeKind::kSkipped, &Outcome::kind);
  ASSERT_NE(skipped, execution.outcomes.end());
  EXPECT_THAT(skipped->detail, HasSubstr("it was skipped, in use outside the CRI"));
  clock.Advance(std::chrono::minutes(2));
  RunWith(remover);
  EXPECT_EQ(remover.tried[Id("b")], 2);
}

}  // namespace
}  // namespace imagesweep
