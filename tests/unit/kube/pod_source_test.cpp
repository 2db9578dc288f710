#include "agent/kube/pods/pod_source.h"

#include <gmock/gmock.h>

#include "tests/unit/kube/objects.h"

namespace imagesweep::kube {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr Millis kFresh = std::chrono::seconds(10);

struct PodSourceTest : testing::Test {
  FakeClock clock;
  ScriptedHttp http{clock};
  Lister lister{http, "/api/v1/pods", "pods", "fieldSelector=spec.nodeName%3Dnode1", {}};
  PodStore store;
  PodSource source{http, lister, &store, {"node1", "cluster1"}, clock, {}};
  PodSource listing{http, lister, nullptr, {"node1", "cluster1"}, clock, {}};

  static Step Node() {
    Step step;
    step.body = NodeJson();
    return step;
  }
  static ObjectList Listed(const std::string& version, std::vector<Json> pods) {
    return {std::move(pods), version};
  }
  void Watched(const std::string& version, std::vector<Json> pods) {
    ASSERT_TRUE(store.Replace(Listed(version, std::move(pods))));
  }
  static std::vector<std::string> Texts(const std::vector<ImageReference>& references) {
    std::vector<std::string> texts;
    for (const auto& reference : references) texts.push_back(reference.text);
    return texts;
  }
};

// W18: the list has pods that the watch never delivered, and the watch has pods that the list
// lacks.
TEST_F(PodSourceTest, JoinsListAndWatch) {
  Watched("10", {PodJson("watched", "watched:1")});
  http.script = {Node(), ListStep("20", {PodJson("listed", "listed:1")})};
  const auto seen = source.Read(kFresh, {});
  ASSERT_TRUE(seen) << seen.error().what;
  EXPECT_THAT(Texts(seen->references), UnorderedElementsAre("listed:1", "watched:1"));
  ASSERT_EQ(seen->pods.size(), 1U);
  EXPECT_EQ(seen->pods[0].uid, "uid-listed");
  EXPECT_EQ(seen->resource_version, "20");
  EXPECT_EQ(seen->node_name, "node1");
  EXPECT_EQ(seen->node_uid, "node-uid");
  EXPECT_EQ(seen->cluster, "cluster1");
  EXPECT_EQ(seen->listed_at, clock.Steady());
}

// An edit of a label takes effect in the next run.
TEST_F(PodSourceTest, ReadsTheNodeLabelsAgainForEachRun) {
  Step labelled = Node();
  Json node = Json::parse(NodeJson());
  node["metadata"]["labels"] = {{"pool", "ci"}};
  labelled.body = node.dump();
  http.script = {Node(), ListStep("1"), ListStep("2"), labelled, ListStep("3")};
  EXPECT_THAT(listing.Read(Millis(0), {})->node_labels, IsEmpty());
  clock.Advance(std::chrono::seconds(59));
  EXPECT_THAT(listing.Read(Millis(0), {})->node_labels, IsEmpty()) << "one read a minute at most";
  clock.Advance(std::chrono::seconds(1));
  const auto seen = listing.Read(Millis(0), {});
  EXPECT_THAT(seen->node_labels, testing::ElementsAre(testing::Pair("pool", "ci")));
}

TEST_F(PodSourceTest, CountsThePodsThatAreReady) {
  Json ready = PodJson("ready", "a:1"), waiting = PodJson("waiting", "b:1"),
       done = PodJson("done", "c:1");
  ready["status"]["conditions"] = {{{"type", "Initialized"}, {"status", "True"}},
                                   {{"type", "Ready"}, {"status", "True"}}};
  waiting["status"]["conditions"] = {{{"type", "Ready"}, {"status", "False"}}};
  done["status"] = ready["status"];
  done["status"]["phase"] = "Succeeded";
  http.script = {Node(), ListStep("1", {ready, waiting, done})};
  const auto seen = listing.Read(kFresh, {});
  EXPECT_EQ(seen->unfinished, 2U);
  EXPECT_EQ(seen->ready, 1U);
}

TEST_F(PodSourceTest, FinishedPodsAreListedAndGiveNoReferences) {
  Json done = PodJson("job", "job:1");
  done["status"]["phase"] = "Succeeded";
  http.script = {Node(), ListStep("20", {done})};
  const auto seen = listing.Read(kFresh, {});
  ASSERT_TRUE(seen);
  EXPECT_THAT(seen->references, IsEmpty());
  EXPECT_EQ(seen->pods.size(), 1U);
}

TEST_F(PodSourceTest, ReadsAgainOnlyWhenTheLastListIsTooOld) {
  http.script = {Node(), ListStep("20"), ListStep("21", {PodJson("new", "new:1")})};
  ASSERT_TRUE(listing.Read(kFresh, {}));
  clock.Advance(kFresh);
  ASSERT_TRUE(listing.Read(kFresh, {}));
  EXPECT_EQ(http.asked.size(), 2U) << "exactly ten seconds are fresh";
  clock.Advance(Millis(1));
  const auto seen = listing.Read(kFresh, {});
  ASSERT_TRUE(seen);
  EXPECT_THAT(Texts(seen->references), ElementsAre("new:1"));
  EXPECT_THAT(http.Summary().back(), "list newest");
}

TEST_F(PodSourceTest, DropsTheOldListWhenAReadFails) {
  http.script = {Node(), ListStep("20", {PodJson("a", "app:1")}), BreakStep(), BreakStep()};
  ASSERT_TRUE(listing.Read(kFresh, {}));
  clock.Advance(std::chrono::minutes(1));
  EXPECT_FALSE(listing.Read(kFresh, {}));
  EXPECT_FALSE(listing.Read(std::chrono::hours(1), {})) << "the old list is gone";
}

TEST_F(PodSourceTest, NeedsAWatchThatSees) {
  const std::deque<Step> good = {Node(), ListStep("20"), ListStep("21"), ListStep("22")};
  http.script = good;
  EXPECT_THAT(source.Read(kFresh, {}).error().what, HasSubstr("not listed yet"));
  Watched("20", {});
  EXPECT_TRUE(source.Read(kFresh, {}));
  store.OnDisconnected({ErrorKind::kUnavailable, "watch pods: connection refused"});
  EXPECT_THAT(source.Read(kFresh, {}).error().what, HasSubstr("connection refused"));
  store.OnSynced();
  EXPECT_TRUE(source.Read(kFresh, {}));
}

TEST_F(PodSourceTest, AStoreThatWasNeverListedIsNotConfirmed) {
  store.OnSynced();
  EXPECT_FALSE(store.References());
}

TEST_F(PodSourceTest, FailsWithoutARequestWhenTheNodeNameIsEmpty) {
  PodSource nameless(http, lister, nullptr, {"", "cluster1"}, clock, {});
  const auto seen = nameless.Read(kFresh, {});
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(http.asked, IsEmpty());
}

TEST_F(PodSourceTest, AWrongNodeNameIsNotAnEmptyNode) {
  http.script = {RefuseStep(404, "NotFound", "nodes \"node1\" not found")};
  const auto seen = listing.Read(kFresh, {});
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(seen.error().what, HasSubstr("node \"node1\" does not exist"));
  EXPECT_EQ(http.asked.size(), 1U) << "no list";
}

TEST_F(PodSourceTest, ANodeWithoutUidIsNotUnderstood) {
  for (const char* body :
       {R"({"metadata":{}})", R"({})", "[]", "<html>", R"({"metadata":{"uid":3}})"}) {
    Step node;
    node.body = body;
    http.script = {node};
    EXPECT_FALSE(listing.Read(kFresh, {})) << body;
  }
}

// W20, W21
TEST_F(PodSourceTest, ErrorsNameTheirCause) {
  Json number = PodJson("p", "");
  number["spec"]["containers"][0]["image"] = 5;
  const auto body = [](const std::string& text) {
    Step step;
    step.body = text;
    return step;
  };
  const struct {
    Step list;
    const char* says;
  } cases[] = {
      {RefuseStep(403, "Forbidden", "pods is forbidden"), "403 Forbidden: pods is forbidden"},
      {RefuseStep(401, "Unauthorized"), "token"},
      {BreakStep("certificate is not yet valid"), "not yet valid"},
      {ListStep("30", {PodJson("a", "app:1"), number}), "pod shop/p: image is not a string"},
      {body("{}"), "no metadata"},
      {body(R"({"metadata":{"resourceVersion":"9"}})"), "no items"},
      {body(R"({"metadata":{},"items":[]})"), "no resourceVersion"},
      {body(R"({"metadata":{"resourceVersion":"9"},"items":{}})"), "items is not an array"},
      {body(R"({"kind":"Status","metadata":{"resourceVersion":"9"},"items":[]})"), "not a list"},
      {body("<html>login</html>"), "JSON"},
      {body(ListJson("30", {}).substr(0, 40)), "JSON"},
  };
  for (const auto& [list, says] : cases) {
    http.script = {Node(), list};
    PodSource once(http, lister, nullptr, {"node1", "cluster1"}, clock, {});
    const auto seen = once.Read(kFresh, {});
    ASSERT_FALSE(seen) << says;
    EXPECT_THAT(seen.error().what, HasSubstr(says));
  }
}

TEST_F(PodSourceTest, PagesInACircleEnd) {
  http.script = {Node(), ListStep("20", {}, "c"), ListStep("20", {}, "c"), ListStep("20", {}, "c")};
  EXPECT_THAT(listing.Read(kFresh, {}).error().what, HasSubstr("repeated a continue token"));
}

// W09: the source waits as long as the server asked for, and reports the reason meanwhile.
TEST_F(PodSourceTest, WaitsAsLongAsTheServerAsked) {
  http.script = {Node(), Throttled(std::chrono::seconds(7)), ListStep("20")};
  EXPECT_FALSE(listing.Read(kFresh, {}));
  clock.Advance(Millis(6'999));
  EXPECT_THAT(listing.Read(kFresh, {}).error().what, HasSubstr("429"));
  EXPECT_EQ(http.asked.size(), 2U);
  clock.Advance(Millis(1));
  EXPECT_TRUE(listing.Read(kFresh, {}));
}

TEST_F(PodSourceTest, AcceptsAnOlderServerAfter45Seconds) {
  http.script = {Node(), ListStep("100"), ListStep("90"), ListStep("91"), ListStep("92")};
  ASSERT_TRUE(listing.Read(Millis(0), {}));
  clock.Advance(std::chrono::seconds(1));
  const auto back = listing.Read(Millis(0), {});
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().kind, ErrorKind::kIncomplete);
  EXPECT_THAT(back.error().what, HasSubstr("went back in time"));
  clock.Advance(std::chrono::seconds(44));
  EXPECT_FALSE(listing.Read(Millis(0), {}));
  clock.Advance(std::chrono::seconds(1));
  EXPECT_TRUE(listing.Read(Millis(0), {}));
}

// The read before a batch lists again, because an old list does not have a pod that was bound
// meanwhile.
TEST_F(PodSourceTest, RequiresAListWhenTheWatchIsSilentForSeconds) {
  EXPECT_FALSE(source.watches()) << "nothing was heard yet";
  EXPECT_FALSE(listing.watches());
  http.script = {ListStep("10"), WatchStep({Bookmark("11")}, Millis(6'000))};
  std::vector<bool> watches;
  http.script[1].before_end = [&] {
    for (const int more : {0, 5'000, 1}) {
      clock.Advance(Millis(more));
      watches.push_back(source.watches());
    }
  };
  http.answer = [&](const ScriptedHttp::Asked&) -> std::optional<Step> {
    watches.push_back(source.watches());  // the start of a watch shows nothing
    return std::nullopt;
  };
  Reflector(http, lister, store, clock, {.seed = 1}, {}).Run(http.stop.get_token());
  EXPECT_THAT(watches, ElementsAre(true, true, false, false));
}

TEST_F(PodSourceTest, AListOlderThanTheWatchIsRefused) {
  Watched("100", {});
  http.script = {Node(), ListStep("99"), ListStep("100")};
  EXPECT_FALSE(source.Read(kFresh, {}));
  EXPECT_TRUE(source.Read(kFresh, {}));
}

// A Job's pod that comes and goes between two evaluations has still used its image.
TEST_F(PodSourceTest, KeepsReferencesOfDeletedPodsUntilTheNextDrain) {
  Watched("10", {PodJson("stays", "stays:1")});
  ASSERT_TRUE(store.Apply(EventType::kAdded, PodJson("job", "job:1", "11")));
  ASSERT_TRUE(store.Apply(EventType::kDeleted, PodJson("job", "job:1", "12")));
  EXPECT_THAT(Texts(store.DrainRecent().references), UnorderedElementsAre("stays:1", "job:1"));
  EXPECT_THAT(Texts(store.DrainRecent().references), UnorderedElementsAre("stays:1"))
      << "still there";
  EXPECT_EQ(store.NewestVersion(), "12");
}

// A reference that a pod chose stays chosen, even if others show it: a status may show any tag of
// its image.
TEST_F(PodSourceTest, MarksAReferenceFromASpecAsChosen) {
  Json shows = PodJson("shows", "app@sha256:" + std::string(64, 'a'));
  shows["status"]["containerStatuses"] = {{{"name", "main"}, {"image", "app:1"}}};
  Watched("10", {shows});
  const auto chosen = [&] {
    const auto recent = store.DrainRecent().references;
    const auto it = std::ranges::find(recent, "app:1", &ImageReference::text);
    return it != recent.end() && it->chosen;
  };
  EXPECT_FALSE(chosen());
  ASSERT_TRUE(store.Apply(EventType::kAdded, PodJson("job", "app:1", "11")));
  ASSERT_TRUE(store.Apply(EventType::kDeleted, PodJson("job", "app:1", "12")));
  EXPECT_TRUE(chosen());
  EXPECT_FALSE(chosen());
}

TEST_F(PodSourceTest, PodsMayHaveBeenMissedWhileTheWatchWasLostAndNotByARoutineList) {
  Watched("10", {});
  EXPECT_TRUE(store.DrainRecent().complete);
  Watched("20", {});
  EXPECT_TRUE(store.DrainRecent().complete) << "or no image would ever grow old";
  store.OnDisconnected({ErrorKind::kUnavailable, "away"});
  Watched("30", {});
  EXPECT_FALSE(store.DrainRecent().complete);
  EXPECT_TRUE(store.DrainRecent().complete);
}

TEST_F(PodSourceTest, APodThatFinishesGivesUpItsReference) {
  Watched("10", {PodJson("job", "job:1")});
  Json done = PodJson("job", "job:1", "11");
  done["status"]["phase"] = "Succeeded";
  ASSERT_TRUE(store.Apply(EventType::kModified, done));
  EXPECT_THAT(*store.References(), IsEmpty());
}

}  // namespace
}  // namespace imagesweep::kube
