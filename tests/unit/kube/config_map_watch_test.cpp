#include "agent/kube/watch/config_map_watch.h"

#include <gmock/gmock.h>

#include "tests/unit/kube/objects.h"

namespace imagesweep::kube {
namespace {

using testing::ElementsAre;

Json ConfigMapJson(const std::string& text, const std::string& version = "1",
                   const std::string& name = "policy") {
  return {{"metadata", {{"name", name}, {"namespace", "sweep"}, {"resourceVersion", version}}},
          {"data", {{"policy.yaml", text}}}};
}

std::string Event(const char* type, Json object) {
  object["kind"] = "ConfigMap";
  return EventJson(type, std::move(object));
}

struct ConfigMapWatchTest : testing::Test {
  FakeClock clock;
  ScriptedHttp http{clock};
  Lister lister{http,
                "/api/v1/namespaces/sweep/configmaps",
                "configmaps",
                "fieldSelector=metadata.name%3Dpolicy",
                {}};
  std::vector<std::string> told;
  std::vector<std::string> sight;  // "seen", or the reason
  ConfigMapWatch watch{
      "sweep", "policy", "policy.yaml",
      [this](const Result<std::string>& text) {
        told.push_back(text ? *text : "(" + text.error().what + ")");
      },
      [this](const std::optional<Error>& lost) { sight.push_back(lost ? lost->what : "seen"); }};
  void Run(Reflector::Options options = {.seed = 1}) {
    Reflector(http, lister, watch, clock, options, {}).Run(http.stop.get_token());
  }
};

TEST_F(ConfigMapWatchTest, TellsOfEveryChange) {
  Json keyless = ConfigMapJson("", "14");
  keyless["data"] = {{"other", "x"}};
  Json empty = ConfigMapJson("", "15");
  empty.erase("data");
  http.script = {ListStep("10", {ConfigMapJson("one")}),
                 WatchStep({Event("MODIFIED", ConfigMapJson("two", "11")),
                            Event("DELETED", ConfigMapJson("two", "12")),
                            Event("ADDED", ConfigMapJson("three", "13")),
                            Event("MODIFIED", keyless), Event("MODIFIED", empty)})};
  Run();
  EXPECT_THAT(told, ElementsAre("one", "two", "(ConfigMap sweep/policy was deleted)", "three",
                                "(ConfigMap sweep/policy has no key \"policy.yaml\")",
                                "(ConfigMap sweep/policy has no key \"policy.yaml\")"));
}

// `kubectl create configmap --from-file` puts a file there that is not UTF-8, as PowerShell writes
// it.
TEST(ConfigText, NamesAKeyThatIsBinary) {
  Json object = ConfigMapJson("");
  object.erase("data");
  object["binaryData"] = {{"policy.yaml", "//5hAA=="}};
  const auto text = ConfigText(object, "policy.yaml", "sweep/policy");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().what,
            "ConfigMap sweep/policy: key \"policy.yaml\" is in binaryData, because it is not "
            "UTF-8; save the "
            "file as UTF-8");
}

TEST_F(ConfigMapWatchTest, ReportsWhyThereIsNoPolicyAtTheStart) {
  http.script = {RefuseStep(403, "Forbidden", "no"), ListStep("10"),
                 WatchStep({Event("ADDED", ConfigMapJson("one", "11"))})};
  Run();
  EXPECT_THAT(told, ElementsAre("(ConfigMap sweep/policy: list configmaps: the API server answered "
                                "403 Forbidden: no (grant it in the role of this user or service "
                                "account))",
                                "(ConfigMap sweep/policy does not exist)", "one"));
}

TEST_F(ConfigMapWatchTest, KeepsTheReadTextWhileTheServerIsUnavailable) {
  http.script = {ListStep("10", {ConfigMapJson("one")}), BreakStep(), RefuseStep(503, "Down")};
  Run();
  EXPECT_THAT(told, ElementsAre("one"));
}

// An edit would stay unseen for a long time, so the user must be told.
TEST_F(ConfigMapWatchTest, ReportsADeniedWatchAndTheTextWhenItIsAllowedAgain) {
  http.script = {ListStep("10", {ConfigMapJson("one")}), RefuseStep(403, "Forbidden", "no"),
                 WatchStep({Event("MODIFIED", ConfigMapJson("two", "11"))})};
  Run();
  EXPECT_THAT(told,
              ElementsAre("one",
                          "(ConfigMap sweep/policy: watch configmaps: the API server answered "
                          "403 Forbidden: no (grant it in the role of this user or service "
                          "account))",
                          "one", "two"));
}

constexpr Millis kMinute = std::chrono::minutes(1);

TEST_F(ConfigMapWatchTest, CountsListsEventsAndBookmarksButNotAnOpenWatchAsRead) {
  http.script = {
      ListStep("10", {ConfigMapJson("one")}),
      WatchStep({Event("MODIFIED", ConfigMapJson("two", "11")), Bookmark("12")}, kMinute),
      WatchStep({}, kMinute), WatchStep({}, kMinute), RefuseStep(500, "InternalError", "no")};
  Run();
  EXPECT_THAT(sight, ElementsAre("seen", "seen", "seen",
                                 "ConfigMap sweep/policy: watch configmaps: the API server "
                                 "answered 500 InternalError: no"));
}

// A dead connection looks like an idle cluster. One object is cheap to list.
TEST_F(ConfigMapWatchTest, ASilentWatchCostsAListWithinTwoMinutes) {
  Step silent = WatchStep({}, Millis(75'000));
  silent.error = Error{ErrorKind::kDeadline, "no answer within 75000 ms"};
  http.script = {ListStep("10", {ConfigMapJson("one")}), silent,
                 ListStep("20", {ConfigMapJson("suspended")}), silent,
                 ListStep("20", {ConfigMapJson("suspended")})};
  const SteadyTime start = clock.Steady();
  Run({.idle = Millis(75'000), .relist_unheard = Millis(60'000), .seed = 1});
  EXPECT_THAT(http.Summary(),
              ElementsAre("list newest", "watch 10", "list newest", "watch 20", "list newest"));
  EXPECT_THAT(told, ElementsAre("one", "suspended", "suspended"));
  EXPECT_EQ(clock.Steady() - start, Millis(150'000)) << "without a pause";
}

// The policy never comes from another object, or from a value that is not a string.
TEST_F(ConfigMapWatchTest, TakesNoOtherObjectForIt) {
  Json number = ConfigMapJson("", "11");
  number["data"]["policy.yaml"] = 7;
  http.script = {ListStep("10", {ConfigMapJson("wrong", "1", "other")}),
                 ListStep("10", {ConfigMapJson("one")}),
                 WatchStep({Event("MODIFIED", ConfigMapJson("wrong", "11", "other"))}),
                 ListStep("12", {ConfigMapJson("two")}), WatchStep({Event("MODIFIED", number)})};
  Run();
  EXPECT_THAT(told,
              ElementsAre("(ConfigMap sweep/policy: list configmaps: the object is not ConfigMap "
                          "sweep/policy)",
                          "one", "two", "(policy.yaml is not a string)"));
}

}  // namespace
}  // namespace imagesweep::kube
