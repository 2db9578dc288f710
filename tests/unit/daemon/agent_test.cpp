#include "agent/daemon/agent.h"

#include <gmock/gmock.h>

#include <thread>

#include "tests/support/fake_node.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;

const std::string kHead =
    "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\ninterval: 1h\nkeep: {workloads: {enabled: "
    "false}}\n";

// The loop on its own thread with the real clock. Every wait in these tests ends with an event.
struct AgentTest : testing::Test {
  ~AgentTest() override { Stop(); }
  void Start(bool force_dry_run = false, EventPublisher* events = nullptr) {
    agent.emplace(
        Agent::Dependencies{
            sweeper, policies, wakeup, health, metrics, **log, clock, events, {}, &freshness},
        force_dry_run, 1);
    loop = std::jthread([this] { agent->Run(stop.get_token()); });
  }
  void Stop() {
    stop.request_stop();
    if (loop.joinable()) loop.join();
  }
  // Starts with a log of level info.
  void StartLogging() {
    log = Log::Create(LogFormat::kJson, "info");
    testing::internal::CaptureStderr();
    Start();
  }
  // Stops the agent and returns its log.
  std::string StopLogging() {
    Stop();
    return testing::internal::GetCapturedStderr();
  }
  // Waits until /readyz?verbose shows this result of the last run.
  void AwaitLastRun(const std::string& text) {
    for (int i = 0; i < 2000; ++i) {
      if (health.Ready("verbose").body.find(text) != std::string::npos) return;
      clock.Sleep(Millis(5), {});
    }
    FAIL() << "no run with \"" << text << "\": " << health.Ready("verbose").body;
  }

  RealClock clock;
  FakeClock node_clock;
  FakeNode node{node_clock};
  std::unique_ptr<AgeStore> age_store = AgeStore::InMemory(node_clock);
  Sweeper sweeper{{node, &node, node, node, *age_store, node_clock}, "node1", std::nullopt};
  PolicyStore policies;
  PolicyFreshness freshness{node_clock};
  Wakeup wakeup;
  Health health{clock};
  Metrics metrics{"0", "0", clock};
  Result<std::shared_ptr<Log>> log = Log::Create(LogFormat::kJson, "error");
  std::stop_source stop;
  std::optional<Agent> agent;
  std::jthread loop;
};

TEST_F(AgentTest, StartsARunAtOnceWhenTheFirstPolicyArrives) {
  Start();
  EXPECT_THAT(health.Ready("verbose").body, HasSubstr("no run yet"));
  policies.Offer(kHead, "file/p");
  wakeup.Notify();
  AwaitLastRun("would remove 0 images");
}

TEST_F(AgentTest, StartsARunAtOnceOnAPolicyEdit) {
  policies.Offer(kHead + "initialDelay: 0s\n", "file/p");
  Start();
  AwaitLastRun("Dry run");
  policies.Offer(kHead + "initialDelay: 0s\ndryRun: false\n", "file/p");
  wakeup.Notify();
  AwaitLastRun("Removed 0 images");
  EXPECT_THAT(metrics.Render(),
              HasSubstr("imagesweep_runs_total{result=\"noop\",trigger=\"policy_change\"} 1"));
}

TEST_F(AgentTest, RemovesNothingDuringTheInitialDelay) {
  policies.Offer(kHead + "dryRun: false\ninitialDelay: 1h\n", "file/p");
  Start();
  AwaitLastRun("nothing is removed in the first 1h");
}

TEST_F(AgentTest, ForcesDryRunByFlagDespiteThePolicy) {
  policies.Offer(kHead + "dryRun: false\ninitialDelay: 0s\n", "file/p");
  Start(/*force_dry_run=*/true);
  AwaitLastRun("Dry run");
}

TEST_F(AgentTest, RetriesAnAbortedRunBeforeTheInterval) {
  std::atomic<bool> away = true;
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (away && call == "ReadPods") return Error{ErrorKind::kUnavailable, "connection refused"};
    return std::nullopt;
  };
  policies.Offer(kHead, "file/p");
  Start();
  AwaitLastRun("cannot read pods");
  away = false;
  AwaitLastRun("[+]last-run ok");
}

TEST_F(AgentTest, RetriesAtOnceWhenTheFailedSourceRecovers) {
  std::atomic<bool> away = true;
  std::atomic<int> runs = 0;
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "Identity") ++runs;
    if (away && call == "ReadPods") return Error{ErrorKind::kUnavailable, "connection refused"};
    return std::nullopt;
  };
  policies.Offer(kHead, "file/p");
  Start();
  AwaitLastRun("cannot read pods");
  away = false;
  wakeup.Notify();
  AwaitLastRun("[+]last-run ok");
  EXPECT_EQ(runs, 2) << "the very next run, without a back-off in between";
}

// The new policy may say `suspend: true`.
TEST_F(AgentTest, AbortsRunsWhenThePolicyIsUnreadForFiveMinutes) {
  freshness.Seen(node_clock.Steady());
  freshness.Lost("ConfigMap sweep/policy: the API server answered 500");
  node_clock.Advance(std::chrono::minutes(5));
  policies.Offer(kHead + "dryRun: false\ninitialDelay: 0s\n", "file/p");
  Start();
  AwaitLastRun("cannot read the policy: the policy was last read 5m ago: ConfigMap sweep/policy");
  EXPECT_THAT(metrics.Render(), HasSubstr("imagesweep_refused_runs_total{source=\"policy\"} 1"));
  freshness.Seen(node_clock.Steady());
  wakeup.Notify();
  AwaitLastRun("Removed 0 images");
}

TEST_F(AgentTest, StopsTheBatchWhenThePolicyIsLost) {
  const std::string sweep = kHead +
                            "initialDelay: 0s\nminimumAge: 0s\nmaximumAge: 1s\nlimits: "
                            "{removalDelay: 0s, maxPercentOfImages: 100, confirmRuns: 1}\n";
  for (const char* name : {"a", "b", "c"})
    node.images.push_back(Img(name, {std::string_view(name)}));
  policies.Offer(sweep, "file/p");
  sweeper.Evaluate(*policies.Active(), {});
  node_clock.Advance(std::chrono::minutes(1));
  freshness.Seen(node_clock.Steady() - std::chrono::minutes(4));
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "Remove") node_clock.Advance(std::chrono::seconds(61));
    return std::nullopt;
  };
  policies.Offer(sweep + "dryRun: false\n", "file/p");
  Start();
  AwaitLastRun("stopped early: the policy cannot be read");
  Stop();
  EXPECT_EQ(node.removed.size(), 1U);
}

TEST_F(AgentTest, StopsTheBatchOnAPolicyEdit) {
  const std::string sweep = kHead +
                            "initialDelay: 0s\nminimumAge: 0s\nmaximumAge: 1s\nlimits: "
                            "{removalDelay: 0s, maxPercentOfImages: 100, confirmRuns: 1}\n";
  for (const char* name : {"a", "b", "c"})
    node.images.push_back(Img(name, {std::string_view(name)}));
  policies.Offer(sweep, "file/p");
  sweeper.Evaluate(*policies.Active(), {});
  node_clock.Advance(std::chrono::minutes(1));
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "Remove") policies.Offer(sweep + "dryRun: false\nsuspend: true\n", "file/p");
    return std::nullopt;
  };
  policies.Offer(sweep + "dryRun: false\n", "file/p");
  Start();
  AwaitLastRun("the policy is suspended");
  Stop();
  EXPECT_EQ(node.removed.size(), 1U);
}

TEST_F(AgentTest, LogsHowManyImagesAwaitConfirmationAndHowManyRunsThatTakes) {
  const std::string sweep = kHead +
                            "dryRun: false\ninitialDelay: 0s\nminimumAge: 0s\nmaximumAge: 1s\n"
                            "limits: {maxPercentOfImages: 100, confirmRuns: 3}\n";
  for (const char* name : {"a", "b"}) node.images.push_back(Img(name, {std::string_view(name)}));
  policies.Offer(sweep, "file/p");
  sweeper.Evaluate(*policies.Active(), {});
  node_clock.Advance(std::chrono::minutes(1));
  StartLogging();
  AwaitLastRun("; 2 await confirmation by 2 more runs (limits.confirmRuns)");
  EXPECT_THAT(StopLogging(),
              HasSubstr("\"toRemove\":0,\"awaitConfirmation\":2,\"runsToConfirm\":2,"));
  EXPECT_TRUE(node.removed.empty());
}

TEST_F(AgentTest, LogsTheWarningsOfARunAfterTheRun) {
  node.disk = DiskUsage{"/var", 1000, 50, 100, 100};
  policies.Offer(kHead +
                     "dryRun: false\ninitialDelay: 0s\n"
                     "diskUsage: {highThresholdPercent: 80, lowThresholdPercent: 70}\n",
                 "file/p");
  StartLogging();
  AwaitLastRun("Removed 0 images");
  const std::string lines = StopLogging();
  const auto finished = lines.find("\"Finished run\"");
  const auto warning = lines.find("could not free enough space: disk usage went from 95% to 95%");
  ASSERT_NE(finished, std::string::npos) << lines;
  ASSERT_NE(warning, std::string::npos) << lines;
  EXPECT_LT(finished, warning);
}

// The edit comes during the second look at the node, after the images of the dry run are chosen.
TEST_F(AgentTest, WritesNoEventOfADryRunThatAnEditEnded) {
  const std::string sweep = kHead +
                            "initialDelay: 0s\nminimumAge: 0s\nmaximumAge: 1s\n"
                            "limits: {maxPercentOfImages: 100, confirmRuns: 1}\n";
  node.images.push_back(Img("a", {"a"}));
  policies.Offer(sweep, "file/p");
  sweeper.Evaluate(*policies.Active(), {});
  node_clock.Advance(std::chrono::minutes(1));
  bool edited = false;
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    const bool last_look = call == "ReadPods" && node.calls.rbegin()[1] == "Stat";
    if (last_look && !std::exchange(edited, true))
      policies.Offer(sweep + "dryRun: false\nsuspend: true\n", "file/p");
    return std::nullopt;
  };
  std::vector<std::string> written;
  EventPublisher events(
      "node1",
      [&](const NodeEventWrite& write, const std::stop_token&) -> Status {
        written.push_back(write.event.reason);
        return Done{};
      },
      **log, clock, Backoff(Millis(1), Millis(1), 1));
  {
    const std::jthread publisher([&](const std::stop_token& quit) { events.Run(quit); });
    Start(/*force_dry_run=*/false, &events);
    AwaitLastRun("the policy is suspended");
    Stop();
    clock.Sleep(Millis(100), {});
  }
  EXPECT_TRUE(edited);
  EXPECT_THAT(written, testing::IsEmpty());
}

// Copies each image in twenty parts of ten minutes each.
struct SlowArchiver final : ImageArchiver {
  SlowArchiver(const FakeClock& its_clock, std::function<void()> its_look)
      : clock(its_clock), look(std::move(its_look)) {}
  void OnProgress(const std::function<void()>& progress) override { on_progress = progress; }
  Result<std::string> Archive(const Image&, const std::stop_token&) override {
    for (int part = 0; part < 20; ++part) {
      clock.Advance(std::chrono::minutes(10));
      look();
      on_progress();
    }
    return std::string("/archive/app");
  }
  const FakeClock& clock;
  std::function<void()> look;
  std::function<void()> on_progress;
};

TEST(AgentHealth, StaysAliveWhileAnArchiveIsWrittenForLongerThanTheProbeWaits) {
  FakeClock clock;
  FakeNode node(clock);
  Image app = Img("app", {"app:1"});
  app.digests.clear();
  app.origin = {};
  node.images.push_back(app);
  const auto age_store = AgeStore::InMemory(clock);
  Health health(clock);
  std::vector<int> statuses;
  NodeDependencies parts{node, &node, node, node, *age_store, clock};
  parts.archiver = [&](const Archive&) {
    return std::make_unique<SlowArchiver>(clock, [&] { statuses.push_back(health.Live().status); });
  };
  Sweeper sweeper(parts, "node1", std::nullopt);
  PolicyStore policies;
  policies.Offer(
      "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\ninterval: 10m\n"
      "dryRun: false\ninitialDelay: 0s\nminimumAge: 0s\nmaximumAge: 1s\n"
      "keep: {localOnly: Never, archive: {path: /archive}, workloads: {enabled: false}}\n"
      "limits: {confirmRuns: 1, maxPercentOfImages: 100}\n",
      "file/p");
  Wakeup wakeup;
  Metrics metrics("0", "0", clock);
  const auto log = Log::Create(LogFormat::kJson, "error");
  std::stop_source stop;
  int runs = 0;
  Agent agent({sweeper, policies, wakeup, health, metrics, **log, clock, nullptr,
               [&](const std::shared_ptr<const Report>&) {
                 clock.Advance(std::chrono::minutes(15));
                 if (++runs == 2) stop.request_stop();
               }},
              false, 1);
  agent.Run(stop.get_token());
  EXPECT_EQ(statuses, std::vector<int>(20, 200));
}

}  // namespace
}  // namespace imagesweep
