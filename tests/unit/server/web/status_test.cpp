#include "agent/daemon/status_board.h"

#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/fake_node.h"

namespace imagesweep {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::SizeIs;

const std::string kPolicy =
    "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\ndryRun: false\nminimumAge: 0s\n"
    "keep: {localOnly: Never, lastPerRepository: 0, workloads: {enabled: false}}\n";

// A board as in the agent, with real runs on a working node.
struct StatusTest : testing::Test {
  StatusTest() {
    node.images.push_back(Img("a", {"registry.example/app:1"}, 1000));
    node.images.push_back(Img("b", {"registry.example/app:2", "registry.example/app:new"}, 2000));
    MakeLocal(node.images.back());
  }
  void Run(const SweepOptions& options = {}) {
    const auto active = policies.Active();
    health.Beat();
    board.SetRun(std::make_shared<const Report>(sweeper.Sweep(*active, options, {})));
    board.SetHistory(*history, true);
  }
  void SetHealthy(const std::string& policy = kPolicy) {
    policies.Offer(policy, "file/p");
    health.SetRuntime(node.identity, {});
    health.SetPolicy(policies.Active()->source, policies.Problem());
  }
  HttpReply Get(const std::string& path, const std::string& query = "") {
    const auto routes = board.Routes(true);
    const auto route = routes.find(path);
    if (route == routes.end()) return {404, "", ""};
    return route->second.handler(query);
  }
  json GetJson(const std::string& path) { return json::parse(Get(path).body); }

  FakeClock clock;
  FakeNode node{clock};
  std::unique_ptr<AgeStore> age_store = AgeStore::InMemory(clock);
  const std::filesystem::path directory =
      std::filesystem::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name();
  std::unique_ptr<History> history =
      (std::filesystem::remove_all(directory), History::Open(directory, clock));
  Sweeper sweeper{
      {node, &node, node, node, *age_store, clock, history.get()}, "node1", std::nullopt};
  PolicyStore policies;
  Health health{clock};
  StatusBoard board{clock, health, policies, "0.1.0", "node1"};
};

// The part of JSON Schema that docs/reference/openapi.yaml uses. A field without a description is
// also an error.
class Schema {
 public:
  explicit Schema(const YAML::Node& document) : document_(document) {}

  void Check(const json& value, YAML::Node schema, const std::string& where) const {
    if (const auto reference = schema["$ref"]) {
      schema.reset(At(reference.as<std::string>()));
    }
    EXPECT_TRUE(TypeFits(value, schema["type"])) << where << " is " << value.type_name();
    if (const auto allowed = schema["enum"]) {
      std::set<std::string> words;
      for (const auto& word : allowed) words.insert(word.as<std::string>());
      EXPECT_TRUE(words.contains(value.get<std::string>())) << where << " is " << value;
    }
    if (value.is_object()) CheckObject(value, schema, where);
    if (value.is_array())
      for (const json& item : value) Check(item, YAML::Clone(schema["items"]), where + "[]");
  }

  YAML::Node At(const std::string& reference) const {
    YAML::Node node = YAML::Clone(document_);
    std::string rest = reference.substr(2);
    while (!rest.empty()) {
      const auto end = std::min(rest.find('/'), rest.size());
      node.reset(node[rest.substr(0, end)]);
      rest.erase(0, std::min(end + 1, rest.size()));
    }
    EXPECT_TRUE(node.IsMap()) << reference;
    return node;
  }

 private:
  static bool TypeFits(const json& value, const YAML::Node& types) {
    const auto fits = [&value](const std::string& type) {
      return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
             (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
             (type == "integer" && value.is_number_integer()) ||
             (type == "number" && value.is_number()) || (type == "null" && value.is_null());
    };
    if (types.IsScalar()) return fits(types.as<std::string>());
    for (const auto& type : types)
      if (fits(type.as<std::string>())) return true;
    return false;
  }

  void CheckObject(const json& value, const YAML::Node& schema, const std::string& where) const {
    for (const auto& name : schema["required"])
      EXPECT_TRUE(value.contains(name.as<std::string>())) << where << " has no " << name;
    for (const auto& [name, field] : value.items()) {
      const YAML::Node properties = schema["properties"];
      const YAML::Node merged = properties["<<"];  // yaml-cpp does not merge
      const bool own = static_cast<bool>(properties[name]);
      if (!own && !(merged && merged[name]))
        ADD_FAILURE() << where << "." << name << " is not described";
      else
        Check(field, YAML::Clone(own ? properties[name] : merged[name]), where + "." + name);
    }
  }

  YAML::Node document_;
};

Schema Description() {
  return Schema(YAML::LoadFile(IMAGESWEEP_SOURCE_DIR "/docs/reference/openapi.yaml"));
}

TEST_F(StatusTest, EveryPathIsDescribedAndNoOther) {
  std::set<std::string> described;
  for (const auto& path : Description().At("#/paths"))
    described.insert(path.first.as<std::string>());
  std::set<std::string> served{"/livez", "/healthz", "/readyz", "/metrics"};
  for (const auto& [path, route] : board.Routes(true)) served.insert(path);
  EXPECT_EQ(described, served);
}

TEST_F(StatusTest, AnswersAreAsDescribed) {
  const Schema schema = Description();
  policies.Offer(kPolicy, "file/p");
  clock.Advance(std::chrono::hours(1));
  Run();
  const std::pair<const char*, const char*> answers[] = {{"/api/v1/images", "ImageList"},
                                                         {"/api/v1/plan", "SweepPlan"},
                                                         {"/api/v1/runs", "RunList"},
                                                         {"/api/v1/policy", "ActivePolicy"},
                                                         {"/api/v1/status", "AgentStatus"}};
  for (const auto& [path, kind] : answers) {
    const HttpReply reply = Get(path);
    EXPECT_EQ(reply.status, 200) << path;
    EXPECT_EQ(reply.content_type, "application/json") << path;
    const json answer = json::parse(reply.body);
    EXPECT_EQ(answer["kind"], kind);
    schema.Check(answer, schema.At(std::string("#/components/schemas/") + kind), kind);
  }
  EXPECT_THAT(GetJson("/api/v1/images")["images"], SizeIs(3));
  EXPECT_THAT(GetJson("/api/v1/runs")["runs"], SizeIs(1));
}

TEST_F(StatusTest, BeforeTheFirstRunEveryDocumentNamesTheCause) {
  const Schema schema = Description();
  health.SetRuntime({}, Error{ErrorKind::kUnavailable, "connection refused"});
  const std::pair<const char*, const char*> answers[] = {
      {"/api/v1/images", "connection refused"},
      {"/api/v1/plan", "connection refused"},
      {"/api/v1/policy", "no policy was loaded yet"}};
  for (const auto& [path, cause] : answers) {
    const HttpReply reply = Get(path);
    EXPECT_EQ(reply.status, 503) << path;
    const json answer = json::parse(reply.body);
    schema.Check(answer, schema.At("#/components/schemas/Error"), path);
    EXPECT_THAT(answer["message"].get<std::string>(), HasSubstr(cause)) << path;
  }
  EXPECT_EQ(Get("/image", "name=app").status, 503);
  EXPECT_THAT(Get("/").body, HasSubstr("connection refused"));
}

TEST_F(StatusTest, AfterARefusedRunTheLastGoodOneIsShownAndTheRefusalNamed) {
  policies.Offer(kPolicy, "file/p");
  node.on_call = [](const std::string& call) -> std::optional<Error> {
    if (call == "ListImages") return Error{ErrorKind::kDeadline, "too slow"};
    return std::nullopt;
  };
  Run();
  EXPECT_EQ(Get("/api/v1/images").status, 503) << "a failed read is no empty list";
  EXPECT_THAT(GetJson("/api/v1/images")["message"].get<std::string>(), HasSubstr("too slow"));
  node.on_call = {};
  Run();
  EXPECT_THAT(GetJson("/api/v1/images")["images"], SizeIs(3));
  node.on_call = [](const std::string&) { return Error{ErrorKind::kDeadline, "slow again"}; };
  Run();
  EXPECT_THAT(GetJson("/api/v1/images")["images"], SizeIs(3));
  EXPECT_THAT(Get("/").body, HasSubstr("slow again"));
  EXPECT_EQ(GetJson("/api/v1/runs")["runs"][0]["result"], "error");
}

TEST_F(StatusTest, ExplainsOneImageByIdAndByName) {
  const std::string id = node.images[1].id.text();
  policies.Offer(kPolicy, "file/p");
  Run();
  for (const std::string& query : {"id=" + id, std::string("name=registry.example/app:1")}) {
    const HttpReply page = Get("/image", query);
    EXPECT_EQ(page.status, 200) << query;
    EXPECT_THAT(page.body, HasSubstr("Checks in order; the first that applies decides")) << query;
    EXPECT_THAT(page.body, HasSubstr(id)) << query;
  }
  EXPECT_EQ(Get("/image", "name=nothing").status, 404);
  EXPECT_EQ(Get("/image").status, 404);
  EXPECT_THAT(Get("/image", "id=sha256").body, HasSubstr("3 images match; select one"));
}

TEST_F(StatusTest, TheRejectedPolicyIsShownBesideTheOneInForce) {
  policies.Offer("nonsense", "file/p");
  EXPECT_EQ(Get("/api/v1/policy").status, 503);
  policies.Offer(kPolicy, "file/p");
  policies.Offer("nonsense: true\n", "file/p");
  const json policy = GetJson("/api/v1/policy");
  EXPECT_EQ(policy["dryRun"], false);
  EXPECT_THAT(policy["problem"].get<std::string>(), HasSubstr("nonsense"));
  EXPECT_THAT(policy["policyText"].get<std::string>(), HasSubstr("localOnly: Never"));
}

TEST_F(StatusTest, RunsHaveTheirBeforeAndAfterAlsoAfterARestart) {
  policies.Offer(kPolicy, "file/p");
  Run();
  StatusBoard restarted{clock, health, policies, "0.1.0", "node1"};
  restarted.SetHistory(*history, /*details=*/false);
  const auto page = [&] { return restarted.Routes(false).at("/").handler("").body; };
  EXPECT_THAT(page(), HasSubstr("<td data-of=\"images\">?"));
  restarted.SetHistory(*history, /*details=*/true);
  EXPECT_THAT(page(), HasSubstr("<td data-of=\"images\">3"));
}

TEST_F(StatusTest, TheAgentIsNotWellBeforeItsFirstRun) {
  const Schema schema = Description();
  json status = GetJson("/api/v1/status");
  schema.Check(status, schema.At("#/components/schemas/AgentStatus"), "AgentStatus");
  EXPECT_EQ(status["well"], false);
  EXPECT_TRUE(status["lastRun"].is_null() && status["policy"].is_null());
  EXPECT_THAT(status["problems"][0].get<std::string>(), HasSubstr("runtime: "));
  SetHealthy();
  status = GetJson("/api/v1/status");
  EXPECT_EQ(status["problems"], json({"no run has finished since the agent started"}));
}

TEST_F(StatusTest, TheAgentIsWellAfterARunAndShowsTheLastAndTheNextRun) {
  SetHealthy();
  clock.Advance(std::chrono::hours(1));
  health.SetRunning();
  EXPECT_EQ(GetJson("/api/v1/status")["runInProgress"], true);
  Run();
  health.SetNextRun(clock.Now() + std::chrono::minutes(15));
  const json status = GetJson("/api/v1/status");
  EXPECT_EQ(status["well"], true) << status;
  EXPECT_EQ(status["nextRunAt"], FormatTime(clock.Now() + std::chrono::minutes(15)));
  EXPECT_EQ(status["runInProgress"], false);
  const json last = GetJson("/api/v1/runs")["runs"][0];
  for (const char* field : {"run", "finishedAt", "dryRun", "result", "removed", "sizeBytes"})
    EXPECT_EQ(status["lastRun"][field], last[field]) << field;
  EXPECT_EQ(status["lastRun"]["headline"], last["headline"]);
}

TEST_F(StatusTest, AfterARestartTheLastRunIsThatOfTheHistory) {
  SetHealthy();
  Run();
  StatusBoard restarted{clock, health, policies, "0.1.0", "node1"};
  restarted.SetHistory(*history, /*details=*/false);
  const json status = json::parse(restarted.Routes(true).at("/api/v1/status").handler("").body);
  EXPECT_EQ(status["lastRun"]["run"], GetJson("/api/v1/runs")["runs"][0]["run"]);
  EXPECT_EQ(status["well"], false) << "no run has finished in this process";
}

TEST_F(StatusTest, AnAgentThatRefusedItsLastRunIsNotWellAndSaysWhy) {
  SetHealthy();
  Run();
  node.on_call = [](const std::string&) { return Error{ErrorKind::kDeadline, "too slow"}; };
  Run();
  const json status = GetJson("/api/v1/status");
  const Schema schema = Description();
  schema.Check(status, schema.At("#/components/schemas/AgentStatus"), "AgentStatus");
  EXPECT_EQ(status["well"], false);
  EXPECT_THAT(status["problems"][0].get<std::string>(), HasSubstr("too slow"));
  EXPECT_EQ(status["lastRun"]["result"], "error");
  EXPECT_FALSE(status["lastRun"]["refused"]["source"].get<std::string>().empty());
  EXPECT_THAT(status["lastRun"]["refused"]["message"].get<std::string>(), HasSubstr("too slow"));
}

TEST_F(StatusTest, ImagesThatWaitForConfirmationAreCounted) {
  SetHealthy(
      "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\ndryRun: false\nminimumAge: 0s\n"
      "maximumAge: 1m\nremoveSuperseded: false\ndiskUsage: {highThresholdPercent: 0}\n"
      "limits: {maxPercentOfImages: 100, confirmRuns: 2}\n"
      "keep: {localOnly: Never, lastPerRepository: 0, workloads: {enabled: false}}\n");
  SweepOptions as_agent;
  as_agent.running_for = std::chrono::hours(1);
  Run(as_agent);
  clock.Advance(std::chrono::hours(1));
  Run(as_agent);
  const json status = GetJson("/api/v1/status");
  ASSERT_THAT(status["deferred"], SizeIs(1)) << status;
  EXPECT_EQ(status["deferred"][0]["code"], "Limit");
  EXPECT_EQ(status["deferred"][0]["images"], 2);
  EXPECT_EQ(status["deferred"][0]["sizeBytes"], 3000);
  EXPECT_THAT(status["deferred"][0]["waitsFor"].get<std::string>(), HasSubstr("confirmRuns"));
  EXPECT_EQ(status["well"], true) << "a deferred image is not a problem";
}

TEST_F(StatusTest, ARejectedPolicyOrAHungLoopIsAProblem) {
  SetHealthy();
  Run();
  policies.Offer("nonsense: true\n", "file/p");
  json status = GetJson("/api/v1/status");
  ASSERT_THAT(status["problems"], SizeIs(1));
  EXPECT_THAT(status["problems"][0].get<std::string>(), HasSubstr("nonsense"));
  EXPECT_THAT(status["policyProblem"].get<std::string>(), HasSubstr("nonsense"));
  EXPECT_EQ(status["policy"]["source"], "file/p") << "the last valid policy stays in force";
  clock.Advance(std::chrono::minutes(15));
  EXPECT_THAT(GetJson("/api/v1/status")["problems"], SizeIs(2));
}

TEST_F(StatusTest, ADryRunOfThePolicyAndOneThatIsForcedAreToldApart) {
  SetHealthy();
  EXPECT_EQ(GetJson("/api/v1/status")["dryRun"], false);
  const StatusBoard forced{clock, health, policies, "0.1.0", "node1", /*force_dry_run=*/true};
  const json status = json::parse(forced.Routes(true).at("/api/v1/status").handler("").body);
  EXPECT_EQ(status["dryRun"], true);
  EXPECT_EQ(status["dryRunForced"], true);
}

TEST_F(StatusTest, RoutesAreLocalOrNotAsAsked) {
  for (const bool local : {true, false})
    for (const auto& [path, route] : board.Routes(local))
      EXPECT_EQ(route.local_only, local) << path;
}

}  // namespace
}  // namespace imagesweep
