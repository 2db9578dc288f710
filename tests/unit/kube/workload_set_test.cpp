#include "agent/kube/workloads/workload_set.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <set>

#include "tests/unit/kube/random_json.h"
#include "tests/unit/kube/workload_objects.h"

namespace imagesweep::kube {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

using WorkloadObjects = std::vector<std::shared_ptr<const WorkloadObject>>;

struct WorkloadSetTest : testing::Test {
  std::vector<std::shared_ptr<const WorkloadObject>> objects;

  void Add(WorkloadKind kind, const Json& object) {
    auto parsed = ParseWorkload(kind, object);
    ASSERT_TRUE(parsed) << parsed.error().what;
    objects.push_back(std::make_shared<const WorkloadObject>(*std::move(parsed)));
  }
  void AddReplicaSet(const std::string& name, const std::string& revision, int replicas = 0,
                     const std::string& kind = "Deployment") {
    Json object = OwnedBy(WorkloadJson(name, name + ":img", replicas), kind, "api");
    if (!revision.empty()) object = WithRevision(object, revision);
    Add(WorkloadKind::kReplicaSet, object);
  }

  // Each as "image KIND/NAME BACK", with " zero" for an object that is scaled to zero.
  std::vector<std::string> Joined() const {
    std::vector<std::string> lines;
    for (const auto& reference : JoinWorkloads(objects))
      lines.push_back(reference.text + " " + reference.kind + "/" + reference.name + " " +
                      std::to_string(reference.revisions_back) +
                      (reference.scaled_to_zero ? " zero" : ""));
    return lines;
  }
};

TEST_F(WorkloadSetTest, RanksTheReplicaSetsOfADeployment) {
  Add(WorkloadKind::kDeployment, WithRevision(WorkloadJson("api", "new:img"), "10"));
  AddReplicaSet("new", "10", 2);
  AddReplicaSet("older", "9");
  AddReplicaSet("oldest", "2");  // the newest if compared as text
  EXPECT_THAT(Joined(), ElementsAre("new:img Deployment/api 0", "older:img Deployment/api 1",
                                    "oldest:img Deployment/api 2"));
}

TEST_F(WorkloadSetTest, AReplicaSetThatRunsIsNeverOld) {
  Add(WorkloadKind::kDeployment, WithRevision(WorkloadJson("api", "new:img"), "3"));
  AddReplicaSet("new", "3", 0);
  AddReplicaSet("middle", "2");
  AddReplicaSet("stuck", "1", 1);
  EXPECT_THAT(Joined(), ElementsAre("middle:img Deployment/api 1", "new:img Deployment/api 0",
                                    "stuck:img Deployment/api 0"));
}

TEST_F(WorkloadSetTest, ScaleIsThatOfTheOwner) {
  Add(WorkloadKind::kDeployment, WithRevision(WorkloadJson("api", "new:img", 0), "2"));
  AddReplicaSet("new", "2");
  AddReplicaSet("old", "1");
  Add(WorkloadKind::kReplicaSet, WorkloadJson("alone", "alone:img", 0));
  Add(WorkloadKind::kStatefulSet, WorkloadJson("db", "db:img", 0));
  EXPECT_THAT(Joined(),
              ElementsAre("alone:img ReplicaSet/alone 0 zero", "db:img StatefulSet/db 0 zero",
                          "new:img Deployment/api 0 zero", "old:img Deployment/api 1 zero"));
}

TEST_F(WorkloadSetTest, NeverCountsUnrankedRevisionsAsOld) {
  AddReplicaSet("a", "1");  // its Deployment is not in a list yet
  AddReplicaSet("b", "2");
  EXPECT_THAT(Joined(), ElementsAre("a:img ReplicaSet/a 0", "b:img ReplicaSet/b 0"));
  Add(WorkloadKind::kDeployment, WithRevision(WorkloadJson("api", "b:img"), "2"));
  AddReplicaSet("c", "not a number");
  EXPECT_THAT(Joined(), ElementsAre("a:img Deployment/api 0", "b:img Deployment/api 0",
                                    "c:img Deployment/api 0"));
}

// Anyone may write any owner into their own object.
TEST_F(WorkloadSetTest, AForeignOwnersUidPushesNoRollbackOut) {
  Add(WorkloadKind::kDeployment, WithRevision(WorkloadJson("api", "new:img"), "3"));
  AddReplicaSet("new", "3", 1);
  AddReplicaSet("older", "2");
  AddReplicaSet("oldest", "1");
  const auto forged = [&](const char* name, const std::function<void(Json&)>& forge) {
    Json object =
        WithRevision(OwnedBy(WorkloadJson(name, "forged:img", 0), "Deployment", "api"), "9000000");
    forge(object);
    Add(WorkloadKind::kReplicaSet, object);
  };
  const auto owner = [](Json& object) -> Json& { return object["metadata"]["ownerReferences"][1]; };
  forged("f1", [](Json& object) { object["metadata"]["namespace"] = "tenant"; });
  forged("f2", [&](Json& object) { owner(object)["kind"] = "StatefulSet"; });
  forged("f3", [&](Json& object) { owner(object)["name"] = "other"; });
  forged("f4", [&](Json& object) { owner(object)["uid"] = "uid-other"; });
  forged("f5", [&](Json& object) { owner(object)["apiVersion"] = "apps.example.io/v1"; });
  forged("f6", [&](Json& object) { owner(object)["controller"] = false; });
  forged("f7",
         [](Json& object) { object["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"; });
  EXPECT_THAT(Joined(), ElementsAre("forged:img Deployment/api 0", "forged:img ReplicaSet/f2 0",
                                    "forged:img ReplicaSet/f3 0", "forged:img ReplicaSet/f4 0",
                                    "forged:img ReplicaSet/f6 0 zero", "forged:img ReplicaSet/f1 0",
                                    "new:img Deployment/api 0", "older:img Deployment/api 1",
                                    "oldest:img Deployment/api 2"));
}

// Objects of others never move an image of the real workloads further back: everything that is kept
// without these objects is also kept with them.
TEST(WorkloadForgeryTest, KeepsTheSameImagesDespiteForgedChildren) {
  using Kept = std::set<std::pair<std::string, bool>>;  // text, and whether it is scaled to zero
  const auto kept = [](const WorkloadObjects& objects, int rollbacks) {
    Kept texts;
    for (const auto& reference : JoinWorkloads(objects))
      if (reference.revisions_back <= rollbacks)
        texts.insert({reference.text, reference.scaled_to_zero});
    return texts;
  };
  int ranked = 0;
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    RandomJson random(seed);
    WorkloadObjects objects;
    const auto add = [&](WorkloadObject object) {
      objects.push_back(std::make_shared<const WorkloadObject>(std::move(object)));
    };
    static const WorkloadKind kParents[] = {WorkloadKind::kDeployment, WorkloadKind::kStatefulSet,
                                            WorkloadKind::kDaemonSet};
    const auto child_of = [&](const WorkloadObject& parent, const std::string& name) {
      WorkloadObject child;
      child.kind = parent.kind == WorkloadKind::kDeployment ? WorkloadKind::kReplicaSet
                                                            : WorkloadKind::kControllerRevision;
      child.name_space = parent.name_space;
      child.name = name;
      child.uid = "uid-" + name;
      child.owner = WorkloadOwner{"apps", ResourceOf(parent.kind).name, parent.name, parent.uid};
      child.revision = static_cast<std::int64_t>(random.Below(10));
      child.runs = random.Chance(20);
      child.scaled_to_zero = !child.runs;
      child.images = {{name + ":img", "main"}};
      return child;
    };
    std::vector<WorkloadObject> real;
    for (std::size_t n = 1 + random.Below(3); n > 0; --n) {
      WorkloadObject parent;
      parent.kind = kParents[random.Below(3)];
      parent.name_space = "shop";
      parent.name = "w" + std::to_string(n);
      parent.uid = "uid-" + parent.name;
      parent.scaled_to_zero = random.Chance(20);
      parent.images = {{parent.name + ":img", "main"}};
      if (random.Chance(30)) parent.current_revision = parent.name + "-1";
      for (std::size_t i = random.Below(6); i > 0; --i)
        add(child_of(parent, parent.name + "-" + std::to_string(i)));
      real.push_back(parent);
      if (random.Chance(90)) add(parent);
    }
    const WorkloadObjects without = objects;
    for (std::size_t i = 1 + random.Below(5); i > 0; --i) {
      WorkloadObject forged =
          child_of(real[random.Below(real.size())], "forged" + std::to_string(i));
      forged.revision = random.Chance(80) ? 9'000'000 : 0;
      switch (random.Below(6)) {
        case 0:
          forged.name_space = "tenant";
          break;
        case 1:
          forged.owner->uid = "uid-other";
          break;
        case 2:
          forged.owner->name = "other";
          break;
        case 3:
          forged.owner->kind = "Rollout";
          break;
        case 4:
          forged.owner->group = "apps.example.io";
          break;
        default:
          forged.being_deleted = true;
      }
      add(forged);
    }
    for (int rollbacks = 0; rollbacks <= 3; ++rollbacks) {
      const Kept before = kept(without, rollbacks), after = kept(objects, rollbacks);
      EXPECT_TRUE(std::ranges::includes(after, before)) << "seed " << seed << ", " << rollbacks;
      ranked += before.size() < kept(without, 100).size();
    }
  }
  EXPECT_GT(ranked, 500) << "there was something to lose";
}

TEST_F(WorkloadSetTest, ReplicaSetsOfAnUnknownControllerAreRankedWhileOneOfThemRuns) {
  AddReplicaSet("a", "1", 0, "Rollout");
  AddReplicaSet("b", "2", 0, "Rollout");
  AddReplicaSet("c", "3", 0, "Rollout");
  const auto all_new =
      ElementsAre("a:img Rollout/api 0", "b:img Rollout/api 0", "c:img Rollout/api 0");
  EXPECT_THAT(Joined(), all_new) << "it is scaled to zero at any of them";
  objects[1] = std::make_shared<const WorkloadObject>([&] {
    WorkloadObject running = *objects[1];
    running.runs = true;
    return running;
  }());
  EXPECT_THAT(Joined(),
              ElementsAre("a:img Rollout/api 2", "b:img Rollout/api 0", "c:img Rollout/api 0"));
  Add(WorkloadKind::kControllerRevision, OwnedBy(RevisionJson("r", "r:1", 9), "Rollout", "api"));
  EXPECT_THAT(Joined(), ElementsAre("a:img Rollout/api 0", "b:img Rollout/api 0",
                                    "c:img Rollout/api 0", "r:1 Rollout/api 0"));
}

TEST_F(WorkloadSetTest, AgeRanksNothing) {
  for (const char* name : {"x", "y", "z"}) {
    Json object =
        OwnedBy(WorkloadJson(name, std::string(name) + ":img", *name == 'x'), "Rollout", "api");
    object["metadata"]["creationTimestamp"] =
        "2026-01-0" + std::to_string(*name % 7 + 1) + "T00:00:00Z";
    Add(WorkloadKind::kReplicaSet, object);
  }
  EXPECT_THAT(Joined(),
              ElementsAre("x:img Rollout/api 0", "y:img Rollout/api 0", "z:img Rollout/api 0"));
}

TEST_F(WorkloadSetTest, RevisionsOfAnUnknownControllerAreNeverOld) {
  // The kind of OpenKruise has the name of a built-in kind, but another API group.
  for (const std::string kind : {"CloneSet", "StatefulSet"}) {
    objects.clear();
    for (int revision = 1; revision <= 3; ++revision) {
      const std::string number = std::to_string(revision);
      Add(WorkloadKind::kControllerRevision,
          OwnedBy(RevisionJson("r-" + number, "r:" + number, revision), kind, "api",
                  "apps.kruise.io/v1beta1"));
    }
    EXPECT_THAT(Joined(), ElementsAre("r:1 " + kind + "/api 0", "r:2 " + kind + "/api 0",
                                      "r:3 " + kind + "/api 0"));
  }
}

TEST_F(WorkloadSetTest, RevisionsBelongToTheirStatefulSetOrDaemonSet) {
  Json set = WorkloadJson("db", "db:3");
  set["status"] = {{"currentRevision", "db-1"}};  // a rollout that a partition holds back
  Add(WorkloadKind::kStatefulSet, set);
  for (int revision = 1; revision <= 3; ++revision) {
    const std::string number = std::to_string(revision);
    Add(WorkloadKind::kControllerRevision,
        OwnedBy(RevisionJson("db-" + number, "db:" + number, revision), "StatefulSet", "db"));
  }
  Add(WorkloadKind::kDaemonSet, WorkloadJson("log", "log:2"));
  for (int revision = 1; revision <= 2; ++revision) {
    const std::string number = std::to_string(revision);
    Add(WorkloadKind::kControllerRevision,
        OwnedBy(RevisionJson("log-" + number, "log:" + number, revision), "DaemonSet", "log"));
  }
  EXPECT_THAT(Joined(),
              ElementsAre("db:1 StatefulSet/db 0", "db:2 StatefulSet/db 1", "db:3 StatefulSet/db 0",
                          "log:1 DaemonSet/log 1", "log:2 DaemonSet/log 0"));
  const auto references = JoinWorkloads(objects);
  EXPECT_EQ(Describe(references.back()), "DaemonSet shop/log, revision 2");
}

TEST_F(WorkloadSetTest, JobsAndCronJobsAreOwnersThemselves) {
  Add(WorkloadKind::kCronJob, CronJobJson("nightly", "nightly:1"));
  Add(WorkloadKind::kJob, OwnedBy(WorkloadJson("nightly-7", "nightly:0"), "CronJob", "nightly"));
  EXPECT_THAT(Joined(), ElementsAre("nightly:0 Job/nightly-7 0", "nightly:1 CronJob/nightly 0"));
}

TEST_F(WorkloadSetTest, TwoHundredRevisionsAreInOrder) {
  Add(WorkloadKind::kDeployment, WithRevision(WorkloadJson("api", "r200:img"), "200"));
  for (int revision = 1; revision <= 200; ++revision)
    AddReplicaSet("r" + std::to_string(revision), std::to_string(revision), revision == 200);
  const auto references = JoinWorkloads(objects);
  EXPECT_THAT(references, SizeIs(200));
  for (const auto& reference : references)
    EXPECT_EQ(reference.revisions_back, 200 - reference.revision) << reference.text;
}

TEST_F(WorkloadSetTest, TheOrderOfTheListsDoesNotMatter) {
  AddReplicaSet("old", "1");
  Add(WorkloadKind::kJob, WorkloadJson("job", "job:1"));
  AddReplicaSet("new", "2", 1);
  Add(WorkloadKind::kDeployment, WithRevision(WorkloadJson("api", "new:img"), "2"));
  const auto before = JoinWorkloads(objects);
  EXPECT_TRUE(std::ranges::is_sorted(before));
  std::ranges::reverse(objects);
  EXPECT_EQ(JoinWorkloads(objects), before);
}

}  // namespace
}  // namespace imagesweep::kube
