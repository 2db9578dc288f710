#include "tests/unit/kube/reflector_fixture.h"

namespace imagesweep::kube {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::Field;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;

const Error kReset{ErrorKind::kUnavailable, "connection reset"};

// W01
TEST_F(ReflectorTest, WatchesOnFromTheLastVersionItSaw) {
  http.script = {ListStep("5"),
                 WatchStep({EventJson("ADDED", PodJson("a", "app:1", "10"))}),
                 WatchStep({EventJson("MODIFIED", PodJson("a", "app:2", "20"))}),
                 WatchStep({Bookmark("30")}),
                 WatchStep({EventJson("DELETED", PodJson("a", "app:2", "40"))}),
                 WatchStep()};
  for (std::size_t i = 1; i < 5; ++i) {
    http.script[i].error = kReset;
    http.script[i].lasts = std::chrono::minutes(1);
  }
  Run();
  EXPECT_THAT(http.Summary(), ElementsAre("list newest", "watch 5", "watch 10", "watch 20",
                                          "watch 30", "watch 40"));
  EXPECT_THAT(Protected(), ElementsAre());
}

// W01, W18: an old server sends no bookmarks, and a lost DELETED event is repaired.
TEST_F(ReflectorTest, ListsAgainWithinTwentyMinutesDespiteAWatch) {
  std::optional<Millis> released;
  int lists_so_far = 0;
  http.answer = [&](const ScriptedHttp::Asked& asked) -> std::optional<Step> {
    if (released) return std::nullopt;
    if (asked.watch) {
      if (lists_so_far > 1 && Protected().empty()) released = elapsed();
      return WatchStep({}, std::chrono::seconds(
                               std::stoi(ScriptedHttp::Parameter(asked.path, "timeoutSeconds"))));
    }
    const bool first = ++lists_so_far == 1;
    return first ? ListStep("10", {PodJson("gone", "gone:1")}) : ListStep("50");
  };
  Run();
  ASSERT_TRUE(released);
  EXPECT_THAT(*released, AllOf(Ge(std::chrono::minutes(10)), Le(std::chrono::minutes(20))));
  EXPECT_THAT(http.Summary(), Contains("list newest").Times(2));
}

// W14
TEST_F(ReflectorTest, AsksForItsOwnNodeAloneAndForALimitedTime) {
  http.script = {ListStep("1", {}, "more"),  ListStep("1"), WatchStep(),
                 RefuseStep(410, "Expired"), ListStep("9"), WatchStep()};
  Run();
  ASSERT_EQ(http.asked.size(), 6U);
  for (const auto& asked : http.asked) {
    EXPECT_EQ(ScriptedHttp::Parameter(asked.path, "fieldSelector"), "spec.nodeName%3Dnode1");
    if (!asked.watch) continue;
    EXPECT_THAT(asked.path, HasSubstr("allowWatchBookmarks=true"));
    EXPECT_THAT(std::stoi(ScriptedHttp::Parameter(asked.path, "timeoutSeconds")),
                AllOf(Ge(300), Le(600)));
  }
}

struct ExpiryCase {
  const char* why;
  Step watch;
};

// W03
TEST_F(ReflectorTest, IsBlindFromA410UntilTheNewListIsThere) {
  const auto in_stream = [](const char* reason) {
    return WatchStep({EventJson("ERROR", StatusJson(410, reason))}, Millis(0));
  };
  const ExpiryCase cases[] = {{"HTTP 410 at start", RefuseStep(410, "Expired")},
                              {"in the stream", in_stream("Expired")},
                              {"in the stream, old reason", in_stream("Gone")}};
  for (const auto& [why, watch] : cases) {
    ScriptedHttp server(clock);
    PodStore pods;
    const Lister from(server, "/api/v1/pods", "pods", "", {});
    server.script = {ListStep("10", {PodJson("a", "app:1")}), watch};
    bool blind_while_listing = false;
    server.answer = [&](const ScriptedHttp::Asked& asked) -> std::optional<Step> {
      if (asked.watch) return std::nullopt;
      blind_while_listing = !pods.References();
      return ListStep("20", {PodJson("a", "app:1"), PodJson("x", "x:1")});
    };
    Reflector(server, from, pods, clock, {.seed = 3}, {}).Run(server.stop.get_token());
    EXPECT_TRUE(blind_while_listing) << why;
    ASSERT_EQ(server.asked.size(), 3U) << why;
    EXPECT_LE(server.asked[2].at - server.asked[1].at, Millis(1'600)) << why << ": one back-off";
    ASSERT_TRUE(pods.References()) << why;
    EXPECT_EQ(pods.References()->size(), 2U) << why;
  }
}

// W02, after client-go's TestReflectorFullListIfExpired and TestReflectorFullListIfTooLarge.
TEST_F(ReflectorTest, FollowsTheChainsOfVersionsWhenListingAgain) {
  const Step expired = RefuseStep(410, "Expired");
  const auto too_large = [](const char* details, const char* message) {
    Step step = RefuseStep(504, "Timeout", message);
    Json status = StatusJson(504, "Timeout", message);
    status["details"] = Json::parse(details);
    step.body = status.dump();
    return step;
  };
  const struct {
    const char* why;
    std::deque<Step> script;
    std::vector<std::string> asked;
  } cases[] = {
      {"expired",
       {ListStep("10"), expired, expired, ListStep("20", {PodJson("p", "last:1")}), WatchStep()},
       {"list newest", "watch 10", "list 10 unpaged", "list newest", "watch 20"}},
      {"expired on page 2",
       {ListStep("10"), expired, ListStep("10", {PodJson("old", "old:1")}, "c1"), expired,
        ListStep("20", {PodJson("p", "last:1")}), WatchStep()},
       {"list newest", "watch 10", "list 10 unpaged", "list newest continue=c1", "list 10 unpaged",
        "watch 20"}},
      {"expired on page 2 of the first list",
       {ListStep("10", {PodJson("old", "old:1")}, "c1"), expired,
        ListStep("20", {PodJson("p", "last:1")}), WatchStep()},
       {"list newest", "list newest continue=c1", "list newest unpaged", "watch 20"}},
      {"too large, three spellings",
       {ListStep("20"), expired,
        too_large(R"({"causes":[{"reason":"ResourceVersionTooLarge"}]})", "told"), ListStep("30"),
        expired, too_large(R"({"causes":[{"message":"Too large resource version"}]})", "told"),
        ListStep("40"), expired, too_large("{}", "Too large resource version: 40, current: 9"),
        ListStep("50", {PodJson("p", "last:1")}), WatchStep()},
       {"list newest", "watch 20", "list 20 unpaged", "list newest", "watch 30", "list 30 unpaged",
        "list newest", "watch 40", "list 40 unpaged", "list newest", "watch 50"}},
  };
  for (const auto& [why, script, asked] : cases) {
    ScriptedHttp server(clock);
    PodStore pods;
    const Lister from(server, "/api/v1/pods", "pods", "", {});
    server.script = script;
    Reflector(server, from, pods, clock, {.seed = 3}, {}).Run(server.stop.get_token());
    EXPECT_THAT(server.Summary(), ElementsAreArray(asked)) << why;
    ASSERT_TRUE(pods.References()) << why;
    EXPECT_THAT(*pods.References(), ElementsAre(Field(&ImageReference::text, "last:1"))) << why;
  }
}

// W05: a server that checks combinations of parameters as strictly as validation.go of the real
// one, and answers 410 for an exact old version.
TEST_F(ReflectorTest, NeverSendsParametersThatDoNotGoTogether) {
  std::vector<std::string> provoked;
  int watches = 0;
  http.answer = [&](const ScriptedHttp::Asked& asked) -> std::optional<Step> {
    const auto has = [&](const char* name) {
      return !ScriptedHttp::Parameter(asked.path, name).empty();
    };
    if (asked.watch) {
      if (++watches == 3) return std::nullopt;
      return RefuseStep(410, "Expired");
    }
    if (has("continue") && has("resourceVersion")) provoked.emplace_back("400");
    if (has("limit") && has("resourceVersion")) provoked.emplace_back("410");
    if (has("resourceVersionMatch")) provoked.emplace_back("422");
    const std::string token = ScriptedHttp::Parameter(asked.path, "continue");
    const int from = token.empty() ? 0 : std::stoi(token);
    const int to = has("limit") ? std::min(from + 500, 1'200) : 1'200;
    std::vector<Json> pods;
    for (int i = from; i < to; ++i) pods.push_back(PodJson("p" + std::to_string(i), "app:1"));
    return ListStep("100", pods, to < 1'200 ? std::to_string(to) : "");
  };
  Run();
  EXPECT_THAT(provoked, ElementsAre());
  EXPECT_EQ(Protected().size(), 1'200U);
  EXPECT_THAT(http.Summary(),
              ElementsAre("list newest", "list newest continue=500", "list newest continue=1000",
                          "watch 100", "list 100 unpaged", "watch 100", "list 100 unpaged"));
}

// W07
TEST_F(ReflectorTest, DropsHalfAnEventAndGetsItAgain) {
  const std::string event = EventJson("ADDED", PodJson("p", "p:1", "11"));
  Step half = WatchStep({event.substr(0, event.size() / 2)}, Millis(10));
  half.error = kReset;
  half.before_end = [&] { EXPECT_THAT(Protected(), ElementsAre("app:1")); };
  http.script = {ListStep("10", {PodJson("a", "app:1")}), half,
                 WatchStep({event.substr(0, 30), event.substr(30)})};
  Run();
  EXPECT_THAT(http.Summary(), ElementsAre("list newest", "watch 10", "watch 10"));
  EXPECT_THAT(Protected(), ElementsAre("app:1", "p:1"));
  EXPECT_LE(http.asked[2].at - http.asked[1].at, std::chrono::seconds(5));
}

// A cluster without changes: the server sends no bookmarks.
TEST_F(ReflectorTest, WatchesAgainOnSilenceAndDisconnectsOnlyWithoutAnAnswer) {
  Step silent = WatchStep({}, Millis(90'000));
  silent.error = Error{ErrorKind::kDeadline, "no answer within 90000 ms"};
  http.script = {ListStep("10", {PodJson("a", "app:1")}), silent, silent, silent};
  bool blind = true;
  http.answer = [&](const ScriptedHttp::Asked&) -> std::optional<Step> {
    blind = Blind();
    return std::nullopt;
  };
  Run();
  EXPECT_THAT(http.Summary(), ElementsAre("list newest", "watch 10", "watch 10", "watch 10"));
  EXPECT_FALSE(blind);
  EXPECT_EQ(elapsed(), Millis(270'000)) << "without a pause";

  Step dead;
  dead.error = Error{ErrorKind::kDeadline, "no answer within 90000 ms"};
  http.script = {ListStep("10", {PodJson("a", "app:1")}), silent, dead};
  http.stop = {};
  Run();
  EXPECT_TRUE(blind) << "the connection was dead";
}

// W21: anything that cannot be understood causes a list, and nothing is known until it has arrived.
TEST_F(ReflectorTest, ListsAgainOnAMalformedEvent) {
  Json number = PodJson("p", "", "11");
  number["spec"]["containers"][0]["image"] = 5;
  Json bare = PodJson("p", "p:1", "11");
  bare.erase("metadata");
  Json versionless = PodJson("p", "p:1", "11");
  versionless["metadata"].erase("resourceVersion");
  Json other = PodJson("p", "p:1", "11");
  other["kind"] = "Node";
  const std::string good = EventJson("ADDED", PodJson("p", "p:1", "11"));
  const struct {
    const char* why;
    std::string text;
  } cases[] = {
      {"unknown type", EventJson("FOO", PodJson("p", "p:1", "11"))},
      {"an image that is a number", EventJson("ADDED", number)},
      {"no metadata", EventJson("ADDED", bare)},
      {"no version", EventJson("ADDED", versionless)},
      {"wrong kind", EventJson("ADDED", other)},
      {"no object", R"({"type":"ADDED"})"},
      {"no type", R"({"object":{}})"},
      {"type is a number", R"({"type":1,"object":{}})"},
      {"duplicate keys", R"({"type":"ADDED","type":"DELETED","object":{}})"},
      {"invalid UTF-8", good.substr(0, good.find("p:1")) + "\xff" + good.substr(good.find("p:1"))},
      {"depth 10,000", "{\"type\":" + std::string(10'000, '[')},
      {"a proxy's page", "<html>sorry</html>"},
      {"mismatched brackets", "{]"},
  };
  for (const auto& [why, text] : cases) {
    ScriptedHttp server(clock);
    PodStore pods;
    const Lister from(server, "/api/v1/pods", "pods", "", {});
    server.script = {ListStep("10", {PodJson("a", "app:1")}), WatchStep({text, good})};
    bool blind = false;
    server.answer = [&](const ScriptedHttp::Asked& asked) -> std::optional<Step> {
      if (asked.watch) return std::nullopt;
      blind = !pods.References();
      return ListStep("20", {PodJson("b", "b:1")});
    };
    Reflector(server, from, pods, clock, {.seed = 3}, {}).Run(server.stop.get_token());
    EXPECT_TRUE(blind) << why;
    EXPECT_THAT(server.Summary(), ElementsAre("list newest", "watch 10", "list 10 unpaged")) << why;
    ASSERT_TRUE(pods.References()) << why;
    EXPECT_THAT(*pods.References(), ElementsAre(Field(&ImageReference::text, "b:1"))) << why;
  }
}

// W21: large is not wrong.
TEST_F(ReflectorTest, TakesAnEventOfFourMebibytes) {
  Json large = PodJson("p", "p:1", "11");
  large["metadata"]["annotations"]["note"] = std::string(4U << 20, 'x');
  http.script = {ListStep("10"), WatchStep({EventJson("ADDED", large)})};
  Run();
  EXPECT_THAT(Protected(), ElementsAre("p:1"));
  EXPECT_EQ(lists(), 1U);
}

TEST_F(ReflectorTest, ListsAgainWhenOnePodOfTheListIsNotUnderstood) {
  Json broken = PodJson("b", "b:1");
  broken["spec"]["containers"][0]["image"] = 5;
  Step partly = ListStep("10", {PodJson("a", "app:1"), broken});
  http.script = {partly, partly};
  Run();
  EXPECT_THAT(http.Summary(), ElementsAre("list newest", "list newest"));
  EXPECT_THAT(Protected(), ElementsAre(HasSubstr("image is not a string")));
}

TEST_F(ReflectorTest, TellsTheObserverOfEveryRequest) {
  http.script = {RefuseStep(403, "Forbidden"), ListStep("10"), BreakStep(), WatchStep()};
  Run();
  EXPECT_THAT(observed, ElementsAre("list pods 403", "list pods 200", "watch pods unavailable",
                                    "watch pods 200", "watch pods cancelled"));
}

}  // namespace
}  // namespace imagesweep::kube
