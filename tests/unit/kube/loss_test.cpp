// Losses, their severity, and what repairs them.
#include <random>

#include "tests/unit/kube/reflector_fixture.h"

namespace imagesweep::kube {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Le;

struct LossTest : ReflectorTest {
  // The reason why nothing is known, read before each request.
  std::vector<std::string> Losses(std::deque<Step> script) {
    std::vector<std::string> losses;
    http.answer = [&, script = std::move(script)](const auto&) mutable -> std::optional<Step> {
      const auto references = store.References();
      losses.push_back(references ? "" : references.error().what);
      kinds.push_back(references ? std::nullopt : std::optional(references.error().kind));
      if (script.empty()) return std::nullopt;
      Step step = std::move(script.front());
      script.pop_front();
      return step;
    };
    Run();
    return losses;
  }
  std::vector<std::optional<ErrorKind>> kinds;
};

Step BrokenOff(const std::string& body) {
  Step step = BreakStep("connection reset");
  step.body = body;
  return step;
}

TEST_F(LossTest, AnAnswerThatBrokeOffInTheMiddleIsIncompleteNotAway) {
  const std::string whole = ListJson("10", {PodJson("a", "app:1")});
  for (const std::size_t size : {std::size_t(1), whole.size() / 2, whole.size() - 1}) {
    ScriptedHttp server(clock);
    server.script = {BrokenOff(whole.substr(0, size))};
    const Lister from(server, "/api/v1/pods", "pods", "", {});
    const auto listed = from.List("", {});
    const auto* failure = std::get_if<ListFailure>(&listed);
    ASSERT_NE(failure, nullptr) << size;
    EXPECT_EQ(failure->error.kind, ErrorKind::kIncomplete) << size;
    EXPECT_THAT(failure->error.what, HasSubstr("the answer ended early: connection reset"));
  }
  ScriptedHttp server(clock);
  server.script = {BreakStep()};
  const Lister from(server, "/api/v1/pods", "pods", "", {});
  const auto listed = from.List("", {});
  EXPECT_EQ(std::get<ListFailure>(listed).error.kind, ErrorKind::kUnavailable);
}

TEST_F(LossTest, KeepsTheMostSevereLossUntilACompleteList) {
  const auto losses = Losses({ListStep("10", {PodJson("a", "app:1")}), RefuseStep(410, "Expired"),
                              BreakStep(), RefuseStep(503, "Down"), ListStep("20"), BreakStep()});
  ASSERT_EQ(losses.size(), 7U);
  EXPECT_THAT(losses[2], HasSubstr("410 Expired"));
  EXPECT_THAT(losses[3], AllOf(HasSubstr("410 Expired"), HasSubstr("connection refused")));
  EXPECT_THAT(losses[4], AllOf(HasSubstr("410 Expired"), HasSubstr("503 Down")));
  EXPECT_EQ(losses[5], "") << "a whole list heals";
  EXPECT_THAT(losses[6], AllOf(HasSubstr("connection refused"), testing::Not(HasSubstr("410"))));
  EXPECT_EQ(kinds[4], ErrorKind::kIncomplete);
  EXPECT_EQ(kinds[6], ErrorKind::kUnavailable);
}

TEST_F(LossTest, AListThatBreaksOffStaysIncompleteWhileTheServerIsAway) {
  const std::string half = ListJson("10", {PodJson("a", "app:1")}).substr(0, 60);
  Losses({BrokenOff(half), BreakStep(), BreakStep()});
  ASSERT_EQ(kinds.size(), 4U);
  EXPECT_THAT(kinds, ElementsAre(ErrorKind::kIncomplete, ErrorKind::kIncomplete,
                                 ErrorKind::kIncomplete, ErrorKind::kIncomplete));
}

// Random servers: after a severe loss, only a complete list improves the state.
TEST_F(LossTest, TheSeverityOfALossOnlyGrowsUntilAWholeListCame) {
  std::mt19937_64 random(5);
  bool grave = false;
  int checked = 0;
  int requests = 0;
  std::string version = "1";
  const std::string half = ListJson("9", {PodJson("a", "app:1")}).substr(0, 40);
  http.answer = [&](const ScriptedHttp::Asked& asked) -> std::optional<Step> {
    const auto seen = store.References();
    if (grave) {
      ++checked;
      EXPECT_FALSE(seen);
      if (!seen) {
        EXPECT_EQ(seen.error().kind, ErrorKind::kIncomplete) << seen.error().what;
      }
    }
    if (++requests > 5'000) return std::nullopt;
    switch (random() % 6) {
      case 0:
        return BreakStep();
      case 1:
        return RefuseStep(503, "Down");
      case 2:
        grave = true;
        return RefuseStep(410, "Expired");
      case 3:
        if (asked.watch) return WatchStep({}, std::chrono::minutes(5));
        grave = true;
        return BrokenOff(half);
      default:
        if (asked.watch) return WatchStep({Bookmark(version)}, std::chrono::minutes(1));
        grave = false;
        version = std::to_string(requests);
        return ListStep(version, {PodJson("a", "app:1")});
    }
  };
  Run();
  EXPECT_GT(checked, 500);
}

// The resourceVersion of an event is far ahead of the server, after a restore of etcd or because of
// a faulty proxy. Such a server waits in silence, or refuses without mentioning the version.
TEST_F(LossTest, AfterAVersionFromTheFutureItWorksAgainWithinTwoMinutes) {
  for (const bool refuses : {false, true}) {
    SCOPED_TRACE(refuses ? "refuses watches" : "is silent");
    std::optional<SteadyTime> since;
    std::optional<Millis> until;
    bool told_future = false;
    http.stop = {};
    http.answer = [&](const ScriptedHttp::Asked& asked) -> std::optional<Step> {
      if (until || (since && clock.Steady() - *since > std::chrono::minutes(30)))
        return std::nullopt;
      const bool future = ScriptedHttp::Parameter(asked.path, "resourceVersion") == "9000000000";
      if (!asked.watch) {
        if (!future) return ListStep("100", {PodJson("a", "app:1")});
        Step hangs = BreakStep();
        hangs.error = Error{ErrorKind::kDeadline, "no answer within 30000 ms"};
        hangs.lasts = Millis(30'000);
        return hangs;
      }
      if (!told_future) {
        told_future = true;
        since = clock.Steady();
        Step jumps =
            WatchStep({EventJson("ADDED", PodJson("j", "jump:1", "9000000000"))}, Millis(1'000));
        jumps.error = Error{ErrorKind::kUnavailable, "connection reset"};
        return jumps;
      }
      if (future && refuses) return RefuseStep(400, "BadRequest");
      if (future) {
        Step silent = WatchStep({}, Millis(90'000));
        silent.error = Error{ErrorKind::kDeadline, "no answer within 90000 ms"};
        return silent;
      }
      until = std::chrono::duration_cast<Millis>(clock.Steady() - *since);
      return WatchStep({EventJson("ADDED", PodJson("n", "new:1", "101"))});
    };
    Reflector(http, lister, store, clock, {.relist_unheard = Millis(90'000), .seed = 1}, {})
        .Run(http.stop.get_token());
    ASSERT_TRUE(until);
    EXPECT_THAT(*until, Le(std::chrono::seconds(120)));
    EXPECT_THAT(Protected(), ElementsAre("app:1", "new:1"));
  }
}

}  // namespace
}  // namespace imagesweep::kube
