#include "agent/daemon/index_service.h"

#include <gmock/gmock.h>

#include "tests/unit/kube/workload_index_fixture.h"

namespace imagesweep {
namespace {

using kube::HttpResponse;
using kube::WorkloadIndexTest;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct FakeWorkloads final : WorkloadReader {
  explicit FakeWorkloads(const Clock& its_clock) : clock(its_clock) {}
  const Clock& clock;
  std::vector<WorkloadReference> references;
  std::optional<Error> error;
  Millis age{0};
  Result<WorkloadEvidence> Read(SteadyTime, const std::stop_token&) override {
    if (error) return *error;
    return WorkloadEvidence{references, clock.Steady() - age, "fake"};
  }
};

struct IndexServiceTest : WorkloadIndexTest {
  FakeWorkloads workloads{clock};
  std::shared_ptr<Log> log = *Log::Create(LogFormat::kText, "error");
  IndexStatus status{"1.2.3", clock};
  bool leads = true;
  IndexService service{{workloads, writer, &store, [this] { return leads; }, status, *log, clock},
                       1};

  // Advances the time by this much in steps of the service. After each step, the watch has caught
  // up.
  void Pass(Millis time) {
    const SteadyTime until = clock.Steady() + time;
    while (clock.Steady() < until) {
      clock.Advance(service.Step({}));
      Hear();
    }
  }
  std::string Generation() { return At("index")["data"]["generation"]; }
  void SetUp() override {
    List();
    status.SetLeaseProblem("");
    status.SetLeads(true);
    workloads.references = Set(3);
  }
};

TEST_F(IndexServiceTest, PublishesChangesAtALimitedRateAndConfirmsTheSetOtherwise) {
  Pass(seconds(2));
  EXPECT_EQ(Look(), "3 from the index, generation 1");
  for (int i = 4; i < 20; ++i) {
    workloads.references = Set(i);
    Pass(seconds(2));
  }
  Pass(seconds(6));
  EXPECT_THAT(Look(), HasSubstr("19 from"));
  const int generation = std::stoi(Generation());
  EXPECT_THAT(generation, AllOf(testing::Gt(4), testing::Lt(9)));
  const std::string beat = At("index")["data"]["heartbeat"];
  const auto asked = server.requests.size();
  Pass(minutes(30));
  EXPECT_EQ(Generation(), std::to_string(generation));
  EXPECT_NE(At("index")["data"]["heartbeat"], beat);
  EXPECT_THAT(server.requests.size() - asked, AllOf(testing::Ge(28U), testing::Le(31U)));
  EXPECT_THAT(Look(), HasSubstr("19 from"));
}

TEST_F(IndexServiceTest, WritesNothingAndIsReadyAsAStandby) {
  leads = false;
  status.SetLeads(false);
  Pass(minutes(5));
  EXPECT_TRUE(server.requests.empty());
  EXPECT_EQ(status.Ready("").status, 200);
  EXPECT_THAT(status.Ready("verbose").body, HasSubstr("[+]lease standby"));
  EXPECT_THAT(status.Metrics(), HasSubstr("imagesweep_index_leader 0\n"));
}

TEST_F(IndexServiceTest, PublishesANewGenerationAfterTakingOver) {
  Pass(seconds(2));
  leads = false;
  Pass(minutes(1));
  leads = true;
  Pass(seconds(2));
  EXPECT_EQ(Generation(), "2");
}

// Agents must refuse to run rather than trust a wrong index.
TEST_F(IndexServiceTest, SendsNoHeartbeatWithoutEvidence) {
  Pass(seconds(2));
  workloads.error = Error{ErrorKind::kDenied, "replicasets is forbidden"};
  const auto asked = server.requests.size();
  Pass(minutes(9));
  EXPECT_THAT(Look(), HasSubstr("3 from"));
  EXPECT_EQ(status.Ready("").status, 503);
  EXPECT_THAT(status.Ready("").body, HasSubstr("[-]workloads replicasets is forbidden"));
  Pass(minutes(2));
  EXPECT_THAT(Look(), HasSubstr("was last true 11m"));
  EXPECT_EQ(server.requests.size(), asked);
  workloads.error.reset();
  Pass(seconds(2));
  EXPECT_THAT(Look(), HasSubstr("3 from"));
  EXPECT_EQ(status.Ready("").status, 200);
}

// The known workloads may be minutes old, and the heartbeat shows that.
TEST_F(IndexServiceTest, DatesTheHeartbeatByTheEvidence) {
  workloads.age = minutes(4);
  Pass(seconds(2));
  EXPECT_EQ(At("index")["data"]["heartbeat"], FormatTime(clock.Now() - seconds(2) - minutes(4)));
}

TEST_F(IndexServiceTest, RestoresDeletedOrDamagedConfigMaps) {
  for (const char* name : {"index-a-0", "index-b-0", "index"}) {
    Pass(seconds(20));
    if (!server.objects.contains(path + "/" + name)) continue;
    const auto gone = server.Do("DELETE", path + "/" + name, "");
    ASSERT_TRUE(gone && gone->status == 200);
    Hear();
    EXPECT_FALSE(store.Read()) << name;
    Pass(seconds(20));
    EXPECT_THAT(Look(), HasSubstr("3 from")) << name;
  }
}

TEST_F(IndexServiceTest, RetriesWithBackoffAndReportsTheCause) {
  http.before = [](const auto& method, const auto&, const auto&) {
    return method == "GET" ? std::optional<Result<HttpResponse>>()
                           : Result<HttpResponse>(Error{ErrorKind::kUnavailable, "refused"});
  };
  Pass(minutes(10));
  EXPECT_THAT(status.Ready("").body, AllOf(HasSubstr("[-]publish"), HasSubstr("refused")));
  const auto tries = server.requests.size();
  EXPECT_THAT(tries, AllOf(testing::Ge(10U), testing::Le(30U)));
  EXPECT_THAT(status.Metrics(),
              HasSubstr("publishes_total{result=\"error\"} " + std::to_string(tries)));
  http.before = {};
  Pass(minutes(1) + seconds(2));
  EXPECT_THAT(Look(), HasSubstr("3 from"));
  EXPECT_EQ(status.Ready("").status, 200);
  EXPECT_THAT(
      status.Metrics(),
      AllOf(HasSubstr("imagesweep_index_leader 1\n"), HasSubstr("imagesweep_index_references 3\n"),
            HasSubstr("publishes_total{result=\"success\"} 1\n"), Not(HasSubstr("nan"))));
}

// Another process led for a moment. The leader replaces its set instead of confirming it.
TEST_F(IndexServiceTest, ReplacesTheSetOfAnotherLeader) {
  Pass(seconds(2));
  kube::WorkloadIndexWriter other(http, index, "leader-2", {});
  ASSERT_TRUE(other.Publish(Set(1), clock.Now(), Yes, {}));
  Pass(minutes(2));
  EXPECT_EQ(Look(), "3 from the index, generation 3");
}

TEST_F(IndexServiceTest, StaysLiveWhileItEvaluatesTheWorkloads) {
  Pass(seconds(2));
  EXPECT_EQ(status.Live().status, 200);
  clock.Advance(minutes(6));
  EXPECT_EQ(status.Live().status, 503);
}

}  // namespace
}  // namespace imagesweep
