#include "agent/daemon/health.h"

#include <gmock/gmock.h>

#include "tests/support/fake_clock.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;

struct HealthTest : testing::Test {
  FakeClock clock;
  Health health{clock};
  const RuntimeIdentity runtime{"containerd", "1.6.20", "unix:///run/c.sock", 7};
};

TEST_F(HealthTest, StaysLiveWhileTheLoopProgressesWithoutARuntime) {
  health.SetRuntime({}, Error{ErrorKind::kUnavailable, "connection refused"});
  EXPECT_EQ(health.Live().status, 200);
  clock.Advance(std::chrono::minutes(15));
  EXPECT_EQ(health.Live().status, 503);
  health.Beat();
  EXPECT_EQ(health.Live().status, 200);
}

TEST_F(HealthTest, IsReadyWhenTheRuntimeAnswersAndAPolicyIsInForce) {
  EXPECT_EQ(health.Ready("").status, 503);
  health.SetRuntime(runtime, {});
  EXPECT_EQ(health.Ready("").status, 503);
  health.SetPolicy(PolicySource{"file/p", "9f2c41aa03be"}, "");
  EXPECT_EQ(health.Ready("").body, "ok\n");
  health.SetPolicy(PolicySource{"file/p", "9f2c41aa03be"}, "unknown field");
  EXPECT_EQ(health.Ready("").status, 200) << "the last valid policy stays in force";
  health.SetRuntime(runtime, Error{ErrorKind::kUnavailable, "connection refused"});
  EXPECT_EQ(health.Ready("").status, 503);
  EXPECT_THAT(health.Ready("").body, HasSubstr("[-]runtime failed: connection refused"));
}

TEST_F(HealthTest, FailsThePolicyCheckAndNamesTheOneInForceWhenRejected) {
  health.SetRuntime(runtime, {});
  health.SetPolicy(PolicySource{"file/p", "9f2c41aa03be"}, "line 3: unknown field\nline 9: too");
  const HttpReply reply = health.Ready("verbose");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body,
              HasSubstr("[-]policy failed: file/p (sha256 9f2c41aa03be) stays in force; the last "
                        "policy was rejected: line 3: unknown field; line 9: too\n"));
  EXPECT_THAT(reply.body, HasSubstr("readyz check passed"));
  EXPECT_FALSE(health.Checks()[1].ok) << "the status page shows the same";
  health.SetPolicy(std::nullopt, "line 3: unknown field");
  EXPECT_EQ(health.Ready("").status, 503);
  EXPECT_THAT(health.Ready("").body,
              HasSubstr("[-]policy failed: no policy loaded yet; nothing is removed: line 3"));
}

// When the API server is down, all agents lose the policy. They must not all become unready.
TEST_F(HealthTest, SaysThatThePolicyIsNotReadAndStaysReady) {
  health.SetRuntime(runtime, {});
  health.SetPolicy(PolicySource{"file/p", "9f2c41aa03be"}, "");
  health.SetPolicyUnread("it was not read for 2m: 503");
  const HttpReply reply = health.Ready("verbose");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr("[-]policy failed: file/p (sha256 9f2c41aa03be); it was not "
                                    "read for 2m: 503"));
  health.SetPolicyUnread("");
  EXPECT_THAT(health.Ready("verbose").body, HasSubstr("[+]policy ok"));
}

TEST_F(HealthTest, NamesTheSourceThatFailedInTheLastRun) {
  health.SetRuntime(runtime, {});
  health.SetPolicy(PolicySource{"file/p", "9f2c41aa03be"}, "");
  Report report;
  report.refused = Refusal{"pods", {ErrorKind::kDenied, "403 Forbidden"}};
  health.SetLastRun(report);
  const HttpReply reply = health.Ready("verbose");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr("[-]last-run failed"));
  EXPECT_THAT(reply.body, HasSubstr("cannot read pods: 403 Forbidden"));
}

// Probes have no password, and the messages about contradictions contain names of pods.
TEST_F(HealthTest, HidesPodNamesInTheShortAnswer) {
  Report report;
  report.refused =
      Refusal{"sandboxes", {ErrorKind::kIncomplete, "a sandbox of pod default/payroll-0"}};
  health.SetLastRun(report);
  const std::string body = health.Ready("verbose").body;
  EXPECT_THAT(body, testing::Not(HasSubstr("payroll")));
  EXPECT_THAT(body, HasSubstr("cannot read sandboxes; see the log for the reason"));
}

}  // namespace
}  // namespace imagesweep
