#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "agent/cmd/agent_client.h"
#include "agent/cmd/commands.h"
#include "agent/daemon/status_board.h"
#include "agent/report/documents/agent_status.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/server/http/client.h"

namespace imagesweep {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::ordered_json;

// The document of a healthy agent.
Json Document() {
  return Json::parse(R"({
    "apiVersion": "imagesweep/v1alpha1", "kind": "AgentStatus", "node": "node1", "version": "0.1.0",
    "observedAt": "2026-11-30T09:15:00.000Z", "well": true, "problems": [],
    "checks": [{"name": "runtime", "ok": true, "text": "containerd 1.7.2 at unix:///run/c.sock"}],
    "lastRun": {"run": "01a1ff9fb8", "startedAt": "2026-11-30T09:11:50.000Z",
                "finishedAt": "2026-11-30T09:12:00.000Z", "dryRun": false, "result": "success",
                "headline": "removed 4 images", "removed": 4, "sizeBytes": 1288490188,
                "refused": null},
    "runInProgress": false, "nextRunAt": "2026-11-30T09:27:00.000Z", "deferred": [],
    "dryRun": false, "dryRunForced": false, "suspend": false,
    "policy": {"source": "configmap/imagesweep-system/policy", "sha256": "9f2c41aa03be",
               "profile": "Balanced", "overrideFor": ""},
    "policyProblem": "", "incomplete": ""})");
}

std::string TextOf(const Json& document) {
  const auto status = ParseAgentStatus(document.dump());
  EXPECT_TRUE(status) << status.error().what;
  return status ? AgentStatusText(*status) : std::string();
}

TEST(AgentStatusTest, AnswersFirstAndAlignsTheDetails) {
  EXPECT_EQ(TextOf(Document()),
            "Healthy: last run 3m ago removed 4 images (1.2GiB)\n"
            "\n"
            "Last run:   2026-11-30T09:12:00.000Z (3m ago), success, 01a1ff9fb8\n"
            "            removed 4 images\n"
            "Next run:   2026-11-30T09:27:00.000Z (in 12m)\n"
            "Mode:       removes images\n"
            "Policy:     configmap/imagesweep-system/policy (sha256 9f2c41aa03be), profile "
            "Balanced\n"
            "Runtime:    containerd 1.7.2 at unix:///run/c.sock\n"
            "Node:       node1, imagesweep 0.1.0\n");
}

TEST(AgentStatusTest, RoundTripsTheDocument) {
  Json document = Document();
  document["lastRun"]["refused"] = {{"source", "pods"}, {"message", "403"}};
  document["deferred"] = {
      {{"code", "Limit"}, {"waitsFor", "1 of 2"}, {"images", 2}, {"sizeBytes", 3000}}};
  document["problems"] = {"one"};
  document["well"] = false;
  const auto status = ParseAgentStatus(document.dump());
  ASSERT_TRUE(status);
  EXPECT_EQ(Json::parse(AgentStatusJson(*status)), document);
}

TEST(AgentStatusTest, RejectsAnotherDocument) {
  for (const char* text :
       {"", "ok\n", "[]", R"({"kind": "RunList"})", R"({"kind": "AgentStatus"})"})
    EXPECT_FALSE(ParseAgentStatus(text)) << text;
}

TEST(AgentStatusTest, ShowsHowManyImagesADryRunWouldRemove) {
  Json document = Document();
  document["lastRun"]["dryRun"] = document["dryRun"] = true;
  EXPECT_THAT(
      TextOf(document),
      AllOf(StartsWith("Healthy: last run 3m ago would remove 4 images (1.2GiB) (dry run)\n"),
            HasSubstr("Mode:       dry run (dryRun: true in the policy)")));
  document["dryRunForced"] = true;
  EXPECT_THAT(TextOf(document), HasSubstr("dry run (--dry-run of the agent)"));
  document["lastRun"]["removed"] = 0;
  EXPECT_THAT(TextOf(document), StartsWith("Healthy: last run 3m ago found nothing to remove"));
}

TEST(AgentStatusTest, NamesTheProblemOfARefusedRunFirstAndTheOthersBelow) {
  Json document = Document();
  document["well"] = false;
  document["problems"] = {"cannot read pods: 403", "the newest policy is not in force: two\nlines"};
  document["lastRun"]["result"] = "error";
  document["policyProblem"] = "two\nlines";
  EXPECT_THAT(TextOf(document),
              AllOf(StartsWith("Unhealthy: cannot read pods: 403\n\n"
                               "Problem:    the newest policy is not in force: two\n"
                               "            lines\n"),
                    HasSubstr("(3m ago), error, 01a1ff9fb8"),
                    HasSubstr("Rejected:   two\n            lines\n")));
}

TEST(AgentStatusTest, ShowsImagesDeferredByConfirmRuns) {
  Json document = Document();
  document["deferred"] = {{{"code", "Limit"},
                           {"waitsFor", "so far in 1 of 2 evaluations in a row"},
                           {"images", 3},
                           {"sizeBytes", 2048}}};
  EXPECT_THAT(TextOf(document),
              HasSubstr("Deferred:   3 images (2.0KiB): so far in 1 of 2 evaluations in a row\n"));
}

TEST(AgentStatusTest, ShowsAnAgentThatNeverRan) {
  Json document = Document();
  document["lastRun"] = document["nextRunAt"] = document["policy"] = nullptr;
  document["problems"] = {"policy: no policy yet"};
  EXPECT_THAT(TextOf(document),
              AllOf(StartsWith("Unhealthy: policy: no policy yet\n"),
                    HasSubstr("Last run:   none yet\n"), HasSubstr("Next run:   not scheduled: "),
                    HasSubstr("Policy:     no policy in force"), Not(HasSubstr("Mode:"))));
  document["runInProgress"] = true;
  EXPECT_THAT(TextOf(document), HasSubstr("Next run:   in progress\n"));
}

TEST(AgentStatusTest, ShowsThatThePolicyIsSuspended) {
  Json document = Document();
  document["suspend"] = true;
  EXPECT_THAT(TextOf(document), HasSubstr("Mode:       suspended (suspend: true in the policy)"));
}

TEST(AgentStatusTest, KeepsControlCharactersFromTheTerminal) {
  Json document = Document();
  document["problems"] = {"a\x1b[2Jb"};
  EXPECT_THAT(TextOf(document), AllOf(HasSubstr("a\\x1B[2Jb"), Not(HasSubstr("\x1b"))));
}

TEST(AgentAddressTest, IsLoopbackWhenNoHostIsNamed) {
  const std::pair<const char*, const char*> addresses[] = {
      {":8080", "http://127.0.0.1:8080"},
      {"0.0.0.0:1", "http://127.0.0.1:1"},
      {"[::]:8080", "http://127.0.0.1:8080"},
      {"node:65535", "http://node:65535"},
      {"http://10.0.0.7:90/", "http://10.0.0.7:90"},
      {"[::1]:8080", "http://::1:8080"}};
  for (const auto& [text, url] : addresses) {
    const auto address = ParseAgentAddress(text);
    ASSERT_TRUE(address) << text << ": " << address.error().what;
    EXPECT_EQ(address->url, url) << text;
  }
}

TEST(AgentAddressTest, RejectsTextThatIsNoHostAndPort) {
  for (const char* text : {"", "8080", "host", "host:", "host:0", "host:65536", "host:x", "::1:80",
                           "https://host:80", "a/b:80", "user@host:80", "host:80/path"}) {
    const auto address = ParseAgentAddress(text);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error().what,
                AllOf(HasSubstr("\"" + std::string(text) + "\""), HasSubstr("use HOST:PORT")));
  }
}

// The server of an agent that has not run yet.
struct ReadAgentStatusTest : testing::Test {
  void Serve(std::map<std::string, HttpServer::Route> routes, const std::string& host) {
    routes.merge(std::map<std::string, HttpServer::Route>(
        {{"/healthz", [this](const std::string&) { return health.Live(); }},
         {"/readyz", [this](const std::string& query) { return health.Ready(query); }}}));
    auto started = HttpServer::Start(host + ":" + std::to_string(port), std::move(routes));
    ASSERT_TRUE(started) << started.error().what;
    server = *std::move(started);
  }
  Result<AgentStatus> Read(const std::string& host = "") {
    const auto address = ParseAgentAddress(host + ":" + std::to_string(port));
    return ReadAgentStatus(*client, *address, clock.Now(), {});
  }
  void Recover() {
    health.SetRuntime({"containerd", "1.7.2", "unix:///run/c.sock", 7}, {});
    health.SetPolicy(PolicySource{"file/p", "9f2c41aa03be"}, "");
    health.SetLastRun(Report());
  }

  const int port = FreePort();
  FakeClock clock;
  PolicyStore policies;
  Health health{clock};
  StatusBoard board{clock, health, policies, "0.1.0", "node1"};
  std::unique_ptr<registry::HttpClient> client = registry::MakeHttpClient();
  std::unique_ptr<HttpServer> server;
};

TEST_F(ReadAgentStatusTest, ReadsTheDocumentOfTheAgent) {
  Serve(board.Routes(true), "");
  const auto status = Read();
  ASSERT_TRUE(status) << status.error().what;
  EXPECT_EQ(status->node, "node1");
  EXPECT_EQ(status->incomplete, "");
  EXPECT_FALSE(status->well());
}

TEST_F(ReadAgentStatusTest, ReachesAnAgentThatListensOnIpv6) {
  Serve(board.Routes(true), "[::1]");
  const auto status = Read("[::1]");
  ASSERT_TRUE(status) << status.error().what;
  EXPECT_EQ(status->node, "node1");
}

TEST_F(ReadAgentStatusTest, ReadsTheProbesWhenTheAgentHasNoStatusDocument) {
  Serve({}, "127.0.0.1");
  auto status = Read();
  ASSERT_TRUE(status) << status.error().what;
  EXPECT_THAT(status->problems, ElementsAre(StartsWith("runtime: "), StartsWith("policy: "),
                                            StartsWith("last-run: ")));
  EXPECT_THAT(status->incomplete, HasSubstr("--status-page=off"));
  Recover();
  status = Read();
  ASSERT_TRUE(status && status->well());
  EXPECT_THAT(AgentStatusText(*status),
              AllOf(StartsWith("Healthy"), HasSubstr("Runtime:    containerd 1.7.2"),
                    HasSubstr("Policy:     file/p (sha256 9f2c41aa03be)"),
                    HasSubstr("Details:    the agent does not serve /api/v1/status")));
  clock.Advance(std::chrono::minutes(15));
  status = Read();
  ASSERT_TRUE(status);
  EXPECT_THAT(status->problems, ElementsAre(StartsWith("liveness: ")));
}

TEST_F(ReadAgentStatusTest, ExplainsWhatToDoWhenNoAgentAnswers) {
  const auto status = Read();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().what,
              AllOf(StartsWith("cannot reach the agent at 127.0.0.1:" + std::to_string(port)),
                    HasSubstr("check that the agent runs on this node"), HasSubstr("--address")));
}

TEST_F(ReadAgentStatusTest, FailsWhenTheServerIsNotAnAgent) {
  const auto page = [](const std::string&) { return HttpReply{200, "text/html", "<html>"}; };
  server =
      *HttpServer::Start("127.0.0.1:" + std::to_string(port),
                         {{"/api/v1/status", {page}}, {"/readyz", {page}}, {"/healthz", {page}}});
  auto status = Read();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().what, HasSubstr("is not an imagesweep agent"));
  server.reset();  // the port is free again
  server = *HttpServer::Start("127.0.0.1:" + std::to_string(port),
                              {{"/readyz", {page}}, {"/healthz", {page}}});
  status = Read();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().what, HasSubstr("does not have the checks of an agent"));
}

TEST_F(ReadAgentStatusTest, SetsTheExitCodeFromTheStatus) {
  struct Printed {
    int code;
    std::string out, err;
  };
  const auto run = [](const std::string& address, Output output) -> Printed {
    Options options;
    options.listen_address = address;
    options.output = output;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = RunStatus(options, {});
    return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
  };
  const std::string address = ":" + std::to_string(port);
  Printed printed = run(address, Output::kTable);
  EXPECT_EQ(printed.code, kExitFailed);
  EXPECT_EQ(printed.out, "");
  EXPECT_THAT(printed.err, StartsWith("imagesweep: cannot reach the agent at 127.0.0.1:"));
  Serve(board.Routes(true), "");
  printed = run(address, Output::kTable);
  EXPECT_EQ(printed.code, kExitFailed);
  EXPECT_THAT(printed.out, StartsWith("Unhealthy: runtime: "));
  Recover();
  Report report;
  report.policy_text = "kind: SweepPolicy\n";  // the run got as far as a decision
  board.SetRun(std::make_shared<const Report>(std::move(report)));
  printed = run(address, Output::kTable);
  EXPECT_EQ(printed.code, kExitDone) << printed.out;
  EXPECT_THAT(printed.out, StartsWith("Healthy: last run "));
  printed = run(address, Output::kJson);
  EXPECT_EQ(printed.code, kExitDone);
  EXPECT_EQ(Json::parse(printed.out)["kind"], "AgentStatus");
  EXPECT_THAT(run(address, Output::kYaml).out, HasSubstr("\nkind: \"AgentStatus\"\n"));
  EXPECT_EQ(run("nonsense", Output::kTable).code, kExitUsage);
}

}  // namespace
}  // namespace imagesweep
