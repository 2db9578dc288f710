// Lists of the workloads on a scripted server, and the watch of one kind.
#include "agent/kube/workloads/workload_source.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "tests/unit/kube/workload_objects.h"

namespace imagesweep::kube {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// One Read() without watches.
struct WorkloadListTest : testing::Test {
  FakeClock clock;
  ScriptedHttp http{clock};
  std::vector<std::string> observed;
  std::map<std::string, std::vector<Json>> items;  // by resource; the others are empty
  std::map<std::string, std::deque<Step>> steps;   // by resource, answered before `items`

  WorkloadListTest() {
    http.answer = [this](const auto& one) -> std::optional<Step> {
      const auto start = one.path.rfind('/', one.path.find('?')) + 1;
      const std::string resource = one.path.substr(start, one.path.find('?') - start);
      if (auto& script = steps[resource]; !script.empty()) {
        Step step = std::move(script.front());
        script.pop_front();
        return step;
      }
      return ListStep("10", items[resource]);
    };
  }

  WorkloadSource source{http, clock, {}, [this](auto verb, auto resource, auto code) {
                          observed.push_back(std::string(verb) + " " + std::string(resource) + " " +
                                             std::string(code));
                        }};

  std::vector<std::string> Read() {
    const auto read = source.Read(SteadyTime::min(), {});
    if (!read) return {"[" + read.error().what + "]"};
    std::vector<std::string> texts;
    for (const auto& reference : read->references) texts.push_back(reference.text);
    return texts;
  }
};

TEST_F(WorkloadListTest, ListsEveryKindOnceAndConsistently) {
  items = {{"deployments", {WorkloadJson("d", "d:1")}},
           {"statefulsets", {WorkloadJson("s", "s:1")}},
           {"daemonsets", {WorkloadJson("ds", "ds:1")}},
           {"replicasets", {WorkloadJson("r", "r:1")}},
           {"cronjobs", {CronJobJson("c", "c:1")}},
           {"jobs", {WorkloadJson("j", "j:1")}},
           {"controllerrevisions", {RevisionJson("cr", "cr:1", 1)}}};
  EXPECT_THAT(Read(), ElementsAre("c:1", "cr:1", "d:1", "ds:1", "j:1", "r:1", "s:1"));
  ASSERT_THAT(http.asked, SizeIs(7));
  for (const auto& one : http.asked)
    EXPECT_THAT(one.path, AllOf(HasSubstr("/v1/"), HasSubstr("?limit=100")));
  EXPECT_THAT(observed, Contains("list cronjobs 200"));
  const auto evidence = source.Read(SteadyTime::min(), {});
  ASSERT_TRUE(evidence);
  EXPECT_EQ(evidence->origin, "the Kubernetes API");
  EXPECT_THAT(http.asked, SizeIs(7)) << "read a moment ago";
  items["jobs"].clear();
  clock.Advance(std::chrono::milliseconds(1999));
  EXPECT_THAT(Read(), SizeIs(7));
  clock.Advance(std::chrono::milliseconds(1));
  EXPECT_THAT(Read(), SizeIs(6)) << "too old";
  EXPECT_THAT(http.asked, SizeIs(14));
}

TEST_F(WorkloadListTest, ListsAgainForTheRecheckOfARun) {
  const auto first = source.Read(SteadyTime::min(), {});
  ASSERT_TRUE(first);
  items["jobs"] = {WorkloadJson("j", "j:1")};
  clock.Advance(std::chrono::milliseconds(1));
  const auto look = source.Read(first->as_of, {});
  ASSERT_TRUE(look);
  EXPECT_THAT(look->references, SizeIs(1));
  EXPECT_THAT(http.asked, SizeIs(14));
  EXPECT_TRUE(source.Read(first->as_of, {}));
  EXPECT_THAT(http.asked, SizeIs(14)) << "batches that follow one another share one";
}

TEST_F(WorkloadListTest, AKindThatMayNotBeListedIsAnErrorThatSaysWhatGrantsIt) {
  items["deployments"] = {WorkloadJson("d", "d:1")};
  steps["replicasets"] = {RefuseStep(403, "Forbidden", "replicasets.apps is forbidden")};
  const auto read = source.Read(SteadyTime::min(), {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kDenied);
  EXPECT_THAT(read.error().what, AllOf(HasSubstr("list replicasets: "), HasSubstr("orbidden"),
                                       HasSubstr("the chart's workloads.mode=direct grants it")));
}

TEST_F(WorkloadListTest, EveryKindMustAnswer) {
  for (const auto& resource : kWorkloadResources) {
    steps[resource.resource] = {BreakStep()};
    EXPECT_THAT(Read(), ElementsAre(HasSubstr(std::string("list ") + resource.resource)));
  }
  EXPECT_THAT(Read(), IsEmpty());
}

TEST_F(WorkloadListTest, RestartsAnExpiredListWithoutTheNewToken) {
  Step expired = RefuseStep(410, "Expired");
  Json status = Json::parse(expired.body);
  status["metadata"] = {{"continue", "inconsistent"}};
  expired.body = status.dump();
  steps["replicasets"] = {ListStep("5", {WorkloadJson("old", "old:1")}, "t1"), expired,
                          ListStep("7", {WorkloadJson("a", "a:1")}, "t2"),
                          ListStep("7", {WorkloadJson("b", "b:1")})};
  EXPECT_THAT(Read(), ElementsAre("a:1", "b:1"));
  for (const auto& one : http.asked) {
    EXPECT_THAT(one.path, HasSubstr("limit=100"));
    EXPECT_THAT(one.path, testing::Not(HasSubstr("inconsistent")));
  }
}

TEST_F(WorkloadListTest, AListThatAlwaysExpiresIsAnError) {
  for (int i = 0; i < 10; ++i) {
    steps["jobs"].push_back(ListStep("5", {WorkloadJson("a", "a:1")}, "t"));
    steps["jobs"].push_back(RefuseStep(410, "Expired"));
  }
  EXPECT_THAT(Read(), ElementsAre(HasSubstr("list jobs: ")));
  EXPECT_THAT(steps["jobs"], SizeIs(14)) << "three attempts";
}

TEST_F(WorkloadListTest, AnObjectThatCannotBeUnderstoodFailsTheWhole) {
  Json broken = WorkloadJson("odd", "x");
  broken["spec"].erase("template");
  items["deployments"] = {WorkloadJson("d", "d:1"), broken};
  EXPECT_THAT(Read(), ElementsAre(AllOf(HasSubstr("list deployments: Deployment shop/odd"),
                                        HasSubstr("no pod template"))));
}

TEST_F(WorkloadListTest, FiveThousandImagesOfTwoHundredRevisions) {
  std::vector<Json> sets;
  for (int deployment = 0; deployment < 25; ++deployment) {
    const std::string name = "d" + std::to_string(deployment);
    items["deployments"].push_back(WithRevision(WorkloadJson(name, name + ":200"), "200"));
    for (int revision = 1; revision <= 200; ++revision) {
      const std::string number = std::to_string(revision);
      sets.push_back(WithRevision(
          OwnedBy(WorkloadJson(name + "-" + number, name + ":" + number, 0), "Deployment", name),
          number));
    }
  }
  for (std::size_t at = 0; at < sets.size(); at += 100)
    steps["replicasets"].push_back(
        ListStep("9",
                 {sets.begin() + static_cast<std::ptrdiff_t>(at),
                  sets.begin() + static_cast<std::ptrdiff_t>(at) + 100},
                 at + 100 < sets.size() ? "t" + std::to_string(at) : ""));
  const auto read = source.Read(SteadyTime::min(), {});
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_THAT(read->references, SizeIs(5000));
  EXPECT_EQ(std::ranges::count_if(read->references,
                                  [](const auto& one) { return one.revisions_back <= 2; }),
            75);
}

// One kind with a watch.
struct WorkloadWatchTest : testing::Test {
  FakeClock clock;
  ScriptedHttp http{clock};
  WorkloadStore store{WorkloadKind::kReplicaSet, clock, {}};
  std::vector<std::vector<std::string>> seen;

  void Run(std::deque<Step> script) {
    http.script = std::move(script);
    http.stop = std::stop_source();
    const Lister lister(
        http, "/apis/apps/v1/replicasets", "replicasets", "", {},
        {.limit = 100, .only_pages = true, .keep = WorkloadKeep(WorkloadKind::kReplicaSet)});
    Reflector reflector(http, lister, store, clock, {.seed = 1}, {});
    reflector.Run(http.stop.get_token());
  }
  // The images that count, or the reason for a refusal, in brackets.
  std::vector<std::string> Known() const {
    WorkloadObjects objects;
    const auto known = store.Collect(std::chrono::minutes(5), objects);
    if (!known) return {"[" + known.error().what + "]"};
    std::vector<std::string> texts;
    for (const auto& object : objects) texts.push_back(object->images.front().text);
    std::ranges::sort(texts);
    return texts;
  }
  std::function<void()> Look() {
    return [this] { seen.push_back(Known()); };
  }
  Step Watch(std::vector<std::string> pieces) {
    Step step = WatchStep(std::move(pieces));
    step.before_end = Look();
    return step;
  }
  static std::string Event(const std::string& type, Json object, const std::string& version) {
    object["kind"] = "ReplicaSet";
    object["metadata"]["resourceVersion"] = version;
    return EventJson(type, std::move(object));
  }
};

TEST_F(WorkloadWatchTest, FollowsAddedModifiedAndDeletedObjects) {
  EXPECT_THAT(Known(), ElementsAre(HasSubstr("replicasets: not listed yet")));
  const Json a = WorkloadJson("a", "a:1");
  Run({ListStep("10", {a}), Watch({Event("ADDED", WorkloadJson("b", "b:1"), "11")}),
       Watch({Event("MODIFIED", WorkloadJson("a", "a:2"), "12"),
              Event("DELETED", WorkloadJson("b", "b:1"), "13")})});
  EXPECT_THAT(seen, ElementsAre(ElementsAre("a:1", "b:1"), ElementsAre("a:2")));
}

TEST_F(WorkloadWatchTest, AServerThatIsAwayIsForgivenForFiveMinutes) {
  Run({ListStep("10", {WorkloadJson("a", "a:1")}), BreakStep("connection refused")});
  EXPECT_THAT(Known(), ElementsAre("a:1"));
  clock.Advance(std::chrono::minutes(6));
  EXPECT_THAT(Known(), ElementsAre(AllOf(HasSubstr("replicasets: not known to be current for 6m"),
                                         HasSubstr("connection refused"))));
  Step later = WatchStep({Event("ADDED", WorkloadJson("b", "b:1"), "11")});
  later.before_end = Look();
  Run({ListStep("10", {WorkloadJson("a", "a:1")}), std::move(later)});
  EXPECT_THAT(seen, ElementsAre(ElementsAre("a:1", "b:1")));
}

TEST_F(WorkloadWatchTest, ARightThatIsTakenAwayIsNotForgiven) {
  Run({ListStep("10", {WorkloadJson("a", "a:1")}), RefuseStep(403, "Forbidden")});
  EXPECT_THAT(Known(), ElementsAre(HasSubstr("workloads.mode=direct grants it")));
}

TEST_F(WorkloadWatchTest, FailsToReadAfterAnExpiredWatchUntilTheNextList) {
  Step list = ListStep("20", {WorkloadJson("b", "b:1")});
  Step expired = RefuseStep(410, "Expired");
  Run({ListStep("10", {WorkloadJson("a", "a:1")}), expired});
  EXPECT_THAT(Known(), ElementsAre(HasSubstr("watch replicasets: ")));
  Run({list, Watch({})});
  EXPECT_THAT(seen, ElementsAre(ElementsAre("b:1")));
}

TEST_F(WorkloadWatchTest, AnEventThatCannotBeUnderstoodBlindsUntilTheNextList) {
  Json odd = WorkloadJson("odd", "x");
  odd["spec"].erase("template");
  Run({ListStep("10", {WorkloadJson("a", "a:1")}), WatchStep({Event("ADDED", odd, "11")})});
  EXPECT_THAT(Known(), ElementsAre(HasSubstr("ReplicaSet shop/odd: it has no pod template")));
}

TEST_F(WorkloadWatchTest, RejectsAnOlderListForAMinute) {
  Run({ListStep("100", {WorkloadJson("a", "a:1")}), RefuseStep(410, "Expired"),
       ListStep("50", {})});
  EXPECT_THAT(Known(), ElementsAre(HasSubstr("went back in time")));
  std::deque<Step> again(1, ListStep("50", {WorkloadJson("b", "b:1")}));
  clock.Advance(std::chrono::minutes(2));
  Run(again);
  EXPECT_THAT(Known(), ElementsAre("b:1")) << "a backup was restored";
}

TEST_F(WorkloadWatchTest, PagesOfAListThatFailedAreNoPartOfTheNext) {
  Step brief = Watch({});
  brief.lasts = std::chrono::seconds(10);
  Run({ListStep("10", {WorkloadJson("a", "a:1")}, "t"), BreakStep(),
       ListStep("11", {WorkloadJson("b", "b:1")}, "t"), RefuseStep(410, "Expired"),
       ListStep("12", {WorkloadJson("c", "c:1")}, "t"), ListStep("12", {WorkloadJson("d", "d:1")}),
       brief});
  EXPECT_THAT(seen, ElementsAre(ElementsAre("c:1", "d:1")));
  Run({ListStep("13", {WorkloadJson("e", "e:1")}, "t"), BreakStep()});
  EXPECT_THAT(Known(), ElementsAre("c:1", "d:1")) << "half a list replaces nothing";
  Run({ListStep("13"), Watch({})});
  EXPECT_THAT(Known(), IsEmpty());
}

TEST_F(WorkloadWatchTest, ListsAreAlwaysPagedAndConsistent) {
  Run({ListStep("10", {WorkloadJson("a", "a:1")}), RefuseStep(410, "Expired"), ListStep("20")});
  EXPECT_THAT(http.Summary(), ElementsAre("list newest", "watch 10", "list newest"));
  for (const auto& one : http.asked)
    EXPECT_THAT(one.path, HasSubstr(one.watch ? "watch=1" : "limit=100"));
}

}  // namespace
}  // namespace imagesweep::kube
