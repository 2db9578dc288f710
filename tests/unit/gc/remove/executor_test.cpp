#include "agent/gc/remove/executor.h"

#include <gmock/gmock.h>

#include "agent/gc/remove/forwarding_remover.h"
#include "tests/support/fake_node.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Three candidates on a node that still needs a fourth image.
struct ExecutorTest : testing::Test {
  ExecutorTest() {
    for (const char* name : {"a", "b", "c"})
      node.images.push_back(Img(name, {std::string_view(name)}));
    for (const ImagePos at : Positions(node.images)) {
      plan.decisions.emplace_back().image = at;
      plan.decisions.back().code = Code::kInUse;
    }
    for (const ImagePos at : ImagesAt(1, 2, 3)) {
      plan.decisions[at].verdict = Verdict::kRemove;
      plan.decisions[at].code = Code::kAge;
      plan.removals.push_back(at);
    }
  }
  Execution Run() { return RunWith(node); }
  Execution RunWith(ImageRemover& remover) {
    evidence = {node.identity, ByImage<Image>(node.images), node.use, node.pods, {}};
    const ImageIndex index(evidence.images);
    return executor.Run(plan, policy, evidence, index, disk, remover, stop.get_token(), hooks);
  }
  // Runs `change` once, when `call` begins for the n-th time.
  void At(const std::string& call, int n, const std::function<void()>& change) {
    node.on_call = [=, this, seen = 0](const std::string& name) mutable -> std::optional<Error> {
      if (name == call && ++seen == n) change();
      return std::nullopt;
    };
  }

  FakeClock clock;
  FakeNode node{clock};
  Plan plan;
  Policy policy;
  Evidence evidence;
  Expectations expected;
  std::optional<DiskUsage> disk;
  std::stop_source stop;
  Executor::Hooks hooks;
  Executor executor{node, &node, nullptr, node, expected, clock};
};

TEST_F(ExecutorTest, RemovesInTheOrderOfThePlanByTheListedId) {
  std::swap(plan.removals[0], plan.removals[2]);
  const Execution execution = Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("c"), Id("b"), Id("a")));
  EXPECT_EQ(execution.outcomes.size(), 3U);
  EXPECT_EQ(execution.recheck_window_seconds.size(), 3U);
  EXPECT_TRUE(execution.stopped_early.empty());
}

TEST_F(ExecutorTest, ReadsContainersAfterTheImageRightBeforeTheCall) {
  Run();
  EXPECT_THAT(
      node.calls,
      ElementsAre("ReadPods", "ImageStatus", "ReadUse", "ReadContainers", "ReadPods", "Remove",
                  "ReadPods", "ImageStatus", "ReadUse", "ReadContainers", "ReadPods", "Remove",
                  "ReadPods", "ImageStatus", "ReadUse", "ReadContainers", "ReadPods", "Remove"));
}

// CRI-O shows its last repository with the digest in the list, but not in ImageStatus.
TEST_F(ExecutorTest, ComparesAnImageThatLostItsTagWithTheList) {
  node.images[1].tags.clear();
  plan.removals.resize(1);
  Run();
  EXPECT_THAT(node.calls, ElementsAre("ReadPods", "ListImages", "ReadUse", "ReadContainers",
                                      "ReadPods", "Remove"));
}

TEST_F(ExecutorTest, RechecksInADryRunAndRemovesNothing) {
  DryRunRemover dry;
  const Execution execution = RunWith(dry);
  EXPECT_THAT(node.removed, IsEmpty());
  EXPECT_EQ(std::ranges::count(execution.outcomes, OutcomeKind::kWouldRemove, &Outcome::kind), 3);
  EXPECT_EQ(std::ranges::count(node.calls, "ReadUse"), 3);
}

TEST_F(ExecutorTest, SkipsAnImageThatChangedSinceThePlan) {
  struct Case {
    const char* why;
    std::function<void()> change;
    const char* says;
  };
  const Case cases[] = {
      {"a pod was bound",
       [&] {
         node.pods.references.push_back(
             {"a:latest", {}, {ImageUserKind::kPod, "shop", "new", "web"}});
       },
       "shop/new/web"},
      {"a container was made",
       [&] {
         node.use.references.push_back(
             {Id("a"), {}, {ImageUserKind::kContainer, "shop", "new", "web"}});
       },
       "came into use"},
      {"it became the pause image", [&] { node.use.sandbox_images.push_back("a:latest"); },
       "pause"},
      {"it was pinned", [&] { node.images[1].pinned = true; }, "pinned"},
      {"it got another tag", [&] { node.images[1].tags.push_back(ImageName::Parse("a:prod")); },
       "names changed"},
      {"another process removed it", [&] { node.images.erase(node.images.begin() + 1); },
       "no longer exists"},
  };
  const FakeNode fresh = node;
  for (const auto& c : cases) {
    node = fresh;
    At("ImageStatus", 1, c.change);
    const Execution execution = Run();
    EXPECT_THAT(node.removed, ElementsAre(Id("b"), Id("c"))) << c.why;
    ASSERT_EQ(execution.outcomes[0].kind, OutcomeKind::kSkipped) << c.why;
    EXPECT_THAT(execution.outcomes[0].detail, HasSubstr(c.says)) << c.why;
  }
}

TEST_F(ExecutorTest, StopsTheBatchWhenASourceIsLost) {
  const FakeNode fresh = node;
  for (const char* call : {"ReadUse", "ReadContainers", "ReadPods", "ImageStatus"}) {
    node = fresh;
    node.on_call = [=, seen = 0](const std::string& name) mutable -> std::optional<Error> {
      if (name == call && ++seen > 2) return Error{ErrorKind::kUnavailable, "connection refused"};
      return std::nullopt;
    };
    const Execution execution = Run();
    EXPECT_LT(node.removed.size(), 3U) << call;
    ASSERT_TRUE(execution.refused) << call;
    EXPECT_THAT(execution.refused->error.what, HasSubstr("connection refused"));
    EXPECT_FALSE(execution.stopped_early.empty());
  }
}

TEST_F(ExecutorTest, StopsTheBatchWhenASandboxAppearsThatTheApiDoesNotList) {
  At("ReadUse", 2, [&] { node.use.ready_sandboxes.push_back({"shop", "ghost", "uid-g"}); });
  const Execution execution = Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("a")));
  ASSERT_TRUE(execution.refused);
  EXPECT_EQ(execution.refused->source, "pods");
}

TEST_F(ExecutorTest, ListsPodsAgainWhenAPodJustStarted) {
  node.hides_pod = "late";
  At("ReadUse", 1, [&] {
    node.AddPod("shop", "late", "registry.k8s.io/kube-proxy:1");
    node.on_call = [&](const std::string& call) -> std::optional<Error> {
      if (call == "ReadUse") node.hides_pod.clear();
      return std::nullopt;
    };
  });
  EXPECT_FALSE(Run().refused);
  EXPECT_EQ(node.removed.size(), 3U);
}

TEST_F(ExecutorTest, RechecksAgainAfterADelayOfMoreThan50Ms) {
  At("ReadPods", 2, [&] { clock.Advance(Millis(51)); });  // between the containers and the call
  Run();
  EXPECT_EQ(node.removed.size(), 3U);
  EXPECT_EQ(std::ranges::count(node.calls, "ReadUse"), 4);
}

TEST_F(ExecutorTest, SkipsAnImageWhenEveryRecheckIsDelayed) {
  node.on_call = [&, pods = 0](const std::string& call) mutable -> std::optional<Error> {
    if (call == "ReadPods" && ++pods % 2 == 0) clock.Advance(Millis(51));
    return std::nullopt;
  };
  const Execution execution = Run();
  EXPECT_THAT(node.removed, IsEmpty());
  EXPECT_THAT(execution.outcomes[0].detail, HasSubstr("50ms"));
}

TEST_F(ExecutorTest, GivesUpAfterMaxFailuresAndLeavesFailedImagesAloneForAWhile) {
  policy.limits.max_failures = 2;
  node.on_call = [](const std::string& call) -> std::optional<Error> {
    if (call == "Remove") return Error{ErrorKind::kInternal, "image used by x"};
    return std::nullopt;
  };
  Execution execution = Run();
  EXPECT_EQ(execution.outcomes.size(), 2U);
  EXPECT_THAT(execution.stopped_early, HasSubstr("maxFailures"));

  node.on_call = {};
  execution = Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("c")));
  EXPECT_THAT(execution.outcomes[0].detail, HasSubstr("failed before"));
  clock.Advance(std::chrono::minutes(10));
  node.removed.clear();
  plan.removals = ImagesAt(1, 2);
  Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("a"), Id("b")));
}

TEST_F(ExecutorTest, PausesBetweenRemovals) {
  policy.limits.removal_delay = Millis(200);
  const auto before = clock.Steady();
  Run();
  EXPECT_EQ(clock.Steady() - before, Millis(400));
}

TEST_F(ExecutorTest, StartsNoRemovalAfterAStopRequest) {
  At("Remove", 1, [&] { stop.request_stop(); });
  const Execution execution = Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("a")));
  EXPECT_EQ(execution.stopped_early, "shutting down");
  EXPECT_EQ(execution.outcomes[0].kind, OutcomeKind::kRemoved) << "the one in hand is finished";
}

TEST_F(ExecutorTest, EndsBeforeTheNextRemovalWhenThereIsAReason) {
  hooks.reason_to_end = [this] {
    return node.removed.empty() ? std::string() : std::string("the policy was edited");
  };
  const Execution execution = Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("a")));
  EXPECT_EQ(execution.stopped_early, "the policy was edited");
}

// The pause between two removals may be long, so all checks come after it.
TEST_F(ExecutorTest, ChecksReasonsToStopAfterThePause) {
  policy.limits.removal_delay = std::chrono::minutes(1);
  const SteadyTime start = clock.Steady();
  hooks.reason_to_end = [&] {
    return clock.Steady() > start ? std::string("the policy was edited") : std::string();
  };
  EXPECT_EQ(Run().stopped_early, "the policy was edited");
  EXPECT_THAT(node.removed, ElementsAre(Id("a")));
}

TEST_F(ExecutorTest, StopsWhenThePlanIsTooOld) {
  policy.limits.removal_delay = std::chrono::minutes(11);
  const Execution execution = Run();
  EXPECT_THAT(execution.stopped_early, HasSubstr("older than 10m"));
  EXPECT_THAT(node.removed, ElementsAre(Id("a")));
}

TEST_F(ExecutorTest, StopsCriticalRemovalsBelowTheCriticalThreshold) {
  policy.disk = {{75, 65}, {0, 0}, {82, Millis(0)}};
  disk = DiskUsage{"/var", 1000, 100, 100, 100};
  for (const auto at : plan.removals) plan.decisions[at].code = Code::kCritical;
  node.disk = DiskUsage{"/var", 1000, 100, 100, 100};
  At("Remove", 1, [&] { node.disk = DiskUsage{"/var", 1000, 190, 100, 100}; });
  const Execution execution = Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("a")));
  EXPECT_THAT(execution.outcomes[1].detail, HasSubstr("no longer critical"));
}

TEST_F(ExecutorTest, StopsSpaceRemovalsAtTheMeasuredLowThreshold) {
  policy.disk = {{75, 65}, {0, 0}, {}};
  disk = DiskUsage{"/var", 1000, 100, 100, 100};
  for (const auto at : plan.removals) plan.decisions[at].code = Code::kSpace;
  node.disk = DiskUsage{"/var", 1000, 100, 100, 100};
  At("Remove", 2, [&] { node.disk = DiskUsage{"/var", 1000, 350, 100, 100}; });
  const Execution execution = Run();
  EXPECT_THAT(node.removed, ElementsAre(Id("a"), Id("b")));
  EXPECT_THAT(execution.outcomes[2].detail, HasSubstr("lowThresholdPercent is reached"));

  node.disk = Error{ErrorKind::kInternal, "statvfs failed"};
  plan.removals = ImagesAt(3);
  EXPECT_EQ(Run().outcomes[0].kind, OutcomeKind::kSkipped)
      << "unknown disk: nothing goes for space";
}

TEST_F(ExecutorTest, BacksOffFromAnImageThatStaysListed) {
  node.lists_what_it_removed = true;
  Execution execution = Run();
  executor.Verify(evidence, node.images, execution.outcomes);
  EXPECT_EQ(std::ranges::count(execution.outcomes, OutcomeKind::kStillListed, &Outcome::kind), 3);
  node.removed.clear();
  Run();
  EXPECT_THAT(node.removed, IsEmpty());
}

}  // namespace
}  // namespace imagesweep
