// The rate of requests to an API server that does not answer well: at most 0.05 per second.
#include "tests/unit/kube/reflector_fixture.h"

namespace imagesweep::kube {
namespace {

using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;

constexpr auto kHour = std::chrono::hours(1);
constexpr std::size_t kMaxPerHour = 180;  // 0.05/s

struct PacingTest : ReflectorTest {
  // Gives the same answer to lists and watches for `time`, then stops.
  void Answer(Millis time, std::function<Step()> list, std::function<Step()> watch) {
    http.answer = [=, this](const ScriptedHttp::Asked& asked) -> std::optional<Step> {
      if (elapsed() >= time) return std::nullopt;
      return asked.watch ? watch() : list();
    };
    Run();
  }
};

Step GoodList() {
  return ListStep("10", {PodJson("a", "app:1")});
}

Step GoodWatch() {
  return WatchStep();
}

Step ErrorEvent(int code, const char* reason, int retry_after) {
  Json status = StatusJson(code, reason);
  if (retry_after > 0) status["details"]["retryAfterSeconds"] = retry_after;
  return WatchStep({EventJson("ERROR", status)}, Millis(0));
}

// W09
TEST_F(PacingTest, WaitsForRetryAfterBeforeAList) {
  Answer(
      kHour, [] { return Throttled(std::chrono::seconds(7)); }, GoodWatch);
  EXPECT_THAT(ShortestGap(), Ge(std::chrono::seconds(7)));
  EXPECT_THAT(http.asked.size(), Le(kMaxPerHour));
  EXPECT_TRUE(Blind());
}

// W09
TEST_F(PacingTest, ThrottledWatchesAreNeverFollowedByAList) {
  const std::function<Step()> throttled[] = {
      [] { return Throttled(std::chrono::seconds(7)); },
      [] { return ErrorEvent(429, "TooManyRequests", 7); },
  };
  for (const auto& watch : throttled) {
    http.asked.clear();
    const Millis begin = elapsed();
    bool after_watch = false;
    http.stop = {};
    http.answer = [&](const ScriptedHttp::Asked& asked) -> std::optional<Step> {
      if (elapsed() - begin >= kHour) return std::nullopt;
      EXPECT_TRUE(!after_watch || Blind());
      if (asked.watch) after_watch = true;
      return asked.watch ? watch() : GoodList();
    };
    Run();
    EXPECT_EQ(lists(), 1U);
    EXPECT_THAT(http.asked.size(), Le(kMaxPerHour));
    http.asked.erase(http.asked.begin());  // the list; the first watch follows immediately
    EXPECT_THAT(ShortestGap(), Ge(std::chrono::seconds(7)));
  }
}

// W09, W20: any fault that lasts an hour.
TEST_F(PacingTest, StaysBelowItsRateOnEachFault) {
  const auto refused = [](int code, const char* reason) {
    return [=] { return RefuseStep(code, reason); };
  };
  const auto not_yet_valid = [] { return BreakStep("certificate is not yet valid"); };
  const struct {
    const char* why;
    std::function<Step()> list, watch;
  } cases[] = {
      {"503 on list", refused(503, "ServiceUnavailable"), GoodWatch},
      {"403 on list", refused(403, "Forbidden"), GoodWatch},
      {"401 for ever", refused(401, "Unauthorized"), refused(401, "Unauthorized")},
      {"x509", not_yet_valid, not_yet_valid},
      {"403 on watch only", GoodList, refused(403, "Forbidden")},
      {"503 on watch only", GoodList, refused(503, "ServiceUnavailable")},
      {"410 on every watch", GoodList, refused(410, "Expired")},
      {"500 in every stream", GoodList, [] { return ErrorEvent(500, "InternalError", 0); }},
      {"refused connections", [] { return BreakStep(); }, [] { return BreakStep(); }},
      {"garbage in every stream", GoodList, [] { return WatchStep({"<html>"}, Millis(0)); }},
      {"503 and 410 in turn", GoodList,
       [n = 0]() mutable {
         return ++n % 3 == 0 ? RefuseStep(410, "Expired") : RefuseStep(503, "ServiceUnavailable");
       }},
      {"empty watches", GoodList, [] { return WatchStep({}, Millis(0)); }},
  };
  for (const auto& [why, list, watch] : cases) {
    http.asked.clear();
    http.stop = {};
    const Millis begin = elapsed();
    http.answer = [&, &list = list,
                   &watch = watch](const ScriptedHttp::Asked& asked) -> std::optional<Step> {
      if (elapsed() - begin >= kHour) return std::nullopt;
      return asked.watch ? watch() : list();
    };
    Run();
    EXPECT_THAT(http.asked.size(), Le(kMaxPerHour)) << why;
    EXPECT_THAT(http.asked.size(), Ge(50U)) << why << ": it goes on trying";
  }
}

// A server that was down and lost its old versions is noticed soon after it answers.
TEST_F(PacingTest, AnOutageDoesNotDelayTheListAfterIt) {
  constexpr auto kAway = std::chrono::minutes(5);
  std::optional<Millis> refused, listed;
  http.answer = [&](const ScriptedHttp::Asked& asked) -> std::optional<Step> {
    if (!asked.watch && http.asked.size() == 1) return GoodList();
    if (elapsed() < kAway) return BreakStep();
    if (!asked.watch) listed = elapsed();
    if (listed) return std::nullopt;
    refused = elapsed();
    return RefuseStep(410, "Expired");
  };
  Run();
  ASSERT_TRUE(refused && listed);
  EXPECT_THAT(*listed - *refused, Le(Millis(1'600)));
}

// W20: nothing is known, and the cause is reported from the first failure on.
TEST_F(PacingTest, TellsTheCauseForAsLongAsItLasts) {
  const struct {
    const char* why;
    Step list, watch;
    const char* says;
  } cases[] = {
      {"403 on list",
       RefuseStep(403, "Forbidden", "pods is forbidden"),
       {},
       "list pods: the API server answered 403 Forbidden: pods is forbidden"},
      {"401", RefuseStep(401, "Unauthorized"), {}, "401 Unauthorized"},
      {"x509", BreakStep("certificate is not yet valid"), {}, "certificate is not yet valid"},
      {"403 on watch only", GoodList(), RefuseStep(403, "Forbidden"),
       "watch pods: the API server answered 403 Forbidden"},
  };
  for (const auto& [why, list, watch, says] : cases) {
    ScriptedHttp server(clock);
    PodStore pods;
    const Lister from(server, "/api/v1/pods", "pods", "", {});
    int rounds = 0;
    server.answer = [&, &list = list, &watch = watch,
                     &why = why](const ScriptedHttp::Asked& asked) -> std::optional<Step> {
      if (++rounds > 20) return std::nullopt;
      EXPECT_TRUE(rounds <= 2 || !pods.References()) << why;
      return asked.watch ? watch : list;
    };
    Reflector(server, from, pods, clock, {.seed = 3}, {}).Run(server.stop.get_token());
    ASSERT_FALSE(pods.References()) << why;
    EXPECT_THAT(pods.References().error().what, HasSubstr(says)) << why;
  }
}

// W11
TEST_F(PacingTest, RecoversAfterTwentyInternalErrors) {
  int errors = 0;
  Answer(std::chrono::hours(3), GoodList,
         [&] { return ++errors <= 20 ? ErrorEvent(500, "InternalError", 0) : WatchStep(); });
  EXPECT_THAT(Protected(), ElementsAre("app:1"));
  EXPECT_GE(errors, 21);
}

// W12
TEST_F(PacingTest, BacksOffWhenAWatchClosesAtOnce) {
  Answer(std::chrono::minutes(10), GoodList, [] { return WatchStep({}, Millis(0)); });
  EXPECT_THAT(http.asked.size(), Le(25U));
  EXPECT_TRUE(Blind());
}

TEST_F(PacingTest, BacksOffWhenAWatchClosesAfterEachEvent) {
  int version = 10;
  Answer(kHour, GoodList,
         [&] { return WatchStep({Bookmark(std::to_string(++version))}, Millis(0)); });
  EXPECT_THAT(http.asked.size(), Le(kMaxPerHour));
  EXPECT_THAT(Protected(), ElementsAre("app:1"));
}

TEST_F(PacingTest, AnOrdinaryEndIsFollowedAtOnceAndForgetsTheBackOff) {
  http.script = {BreakStep(), BreakStep(), BreakStep(), BreakStep(), BreakStep(),
                 GoodList(),  WatchStep(), WatchStep(), BreakStep(), WatchStep()};
  Run();
  ASSERT_EQ(http.asked.size(), 10U);
  EXPECT_EQ(http.asked[7].at - http.asked[6].at, std::chrono::minutes(5)) << "no wait";
  EXPECT_LE(http.asked[9].at - http.asked[8].at, Millis(1'600)) << "back to the first step";
}

TEST_F(PacingTest, TwoAgentsDoNotWaitAlike) {
  const auto times = [](std::uint64_t seed) {
    const FakeClock own;
    ScriptedHttp server(own);
    PodStore pods;
    const Lister from(server, "/api/v1/pods", "pods", "", {});
    server.script.assign(10, BreakStep());
    Reflector(server, from, pods, own, {.seed = seed}, {}).Run(server.stop.get_token());
    return own.Steady();
  };
  EXPECT_EQ(times(1), times(1));
  EXPECT_NE(times(1), times(2));
}

}  // namespace
}  // namespace imagesweep::kube
