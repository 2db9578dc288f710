#include "agent/kube/workloads/workload_parser.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/kube/workload_objects.h"

namespace imagesweep::kube {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Each as "container=image".
std::vector<std::string> Images(WorkloadKind kind, const Json& object) {
  const auto parsed = ParseWorkload(kind, object);
  if (!parsed) return {"[" + parsed.error().what + "]"};
  std::vector<std::string> images;
  for (const auto& image : parsed->images) images.push_back(image.container + "=" + image.text);
  return images;
}

Json Edit(Json object, const char* pointer, Json value) {
  object[Json::json_pointer(pointer)] = std::move(value);
  return object;
}

TEST(WorkloadParserTest, FindsTheTemplateOfEveryKind) {
  const Json plain = WorkloadJson("api", "api:1");
  const struct {
    WorkloadKind kind;
    Json object;
  } cases[] = {{WorkloadKind::kDeployment, plain},
               {WorkloadKind::kStatefulSet, plain},
               {WorkloadKind::kDaemonSet, plain},
               {WorkloadKind::kReplicaSet, plain},
               {WorkloadKind::kJob, plain},
               {WorkloadKind::kCronJob, CronJobJson("api", "api:1")},
               {WorkloadKind::kControllerRevision,
                OwnedBy(RevisionJson("api", "api:1", 3), "StatefulSet", "db")}};
  for (const auto& [kind, object] : cases) {
    EXPECT_THAT(Images(kind, object), ElementsAre("main=api:1")) << ResourceOf(kind).name;
    Json watched = object;
    watched["kind"] = ResourceOf(kind).name;
    EXPECT_THAT(Images(kind, watched), ElementsAre("main=api:1")) << ResourceOf(kind).name;
    watched["kind"] = "Pod";
    EXPECT_THAT(Images(kind, watched), ElementsAre(HasSubstr("its kind is Pod")));
  }
}

TEST(WorkloadParserTest, CountsInitContainersSidecarsAndImageVolumes) {
  Json object = WorkloadJson("api", "api:1");
  Json& spec = object["spec"]["template"]["spec"];
  spec["initContainers"] = {{{"name", "migrate"}, {"image", "migrate:1"}},
                            {{"name", "proxy"}, {"image", "proxy:1"}, {"restartPolicy", "Always"}}};
  spec["volumes"] = {{{"name", "cache"}, {"emptyDir", Json::object()}},
                     {{"name", "model"}, {"image", {{"reference", "model:1"}}}},
                     {{"name", "data"}, {"csi", {{"volumeAttributes", {{"image", "data:1"}}}}}},
                     {{"name", "disk"}, {"csi", {{"volumeAttributes", {{"image", 1}}}}}},
                     {{"name", "later"}, {"image", {{"pullPolicy", "Never"}}}}};
  spec["containers"].push_back({{"name", "patched-in"}, {"image", " "}});
  spec["somethingNew"] = {{"a", 1}};
  EXPECT_THAT(Images(WorkloadKind::kDeployment, object),
              ElementsAre("main=api:1", "migrate=migrate:1", "proxy=proxy:1", "model=model:1",
                          "data=data:1"));
}

TEST(WorkloadParserTest, FailsAndNamesTheObjectWhenMalformed) {
  const Json good = WorkloadJson("api", "api:1");
  const struct {
    const char* why;
    const char* pointer;
    Json value;
    const char* says;
    WorkloadKind kind = WorkloadKind::kDeployment;
  } cases[] = {
      {"no spec", "/spec", nullptr, "it has no spec"},
      {"no template", "/spec/template", nullptr, "it has no pod template"},
      {"a template of text", "/spec/template", "x", "template is not an object"},
      {"an empty template", "/spec/template", Json::object(), "has no spec"},
      {"no containers", "/spec/template/spec/containers", Json::array(), "has no containers"},
      {"a container of text", "/spec/template/spec/containers/0", "x", "is not an object"},
      {"no image", "/spec/template/spec/containers/0/image", nullptr,
       "container main has no image"},
      {"an image of numbers", "/spec/template/spec/containers/0/image", 7, "image is not a string"},
      {"init containers", "/spec/template/spec/initContainers", "x", "is not an array"},
      {"volumes", "/spec/template/spec/volumes", Json::object(), "is not an array"},
      {"an image volume", "/spec/template/spec/volumes", {{{"image", 1}}}, "is not an object"},
      {"no uid", "/metadata/uid", "", "no name, namespace or uid"},
      {"no metadata", "/metadata", nullptr, "it has no metadata"},
      {"no job", "/spec/jobTemplate", nullptr, "it has no jobTemplate", WorkloadKind::kCronJob},
  };
  for (const auto& one : cases) {
    const auto parsed = ParseWorkload(one.kind, Edit(good, one.pointer, one.value));
    ASSERT_FALSE(parsed) << one.why;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kIncomplete) << one.why;
    EXPECT_THAT(parsed.error().what, HasSubstr(one.says)) << one.why;
    EXPECT_THAT(parsed.error().what, HasSubstr(ResourceOf(one.kind).name)) << one.why;
    if (std::string(one.pointer).find("metadata") == std::string::npos) {
      EXPECT_THAT(parsed.error().what, HasSubstr("shop/api")) << one.why;
    }
  }
  EXPECT_FALSE(ParseWorkload(WorkloadKind::kDeployment, Json::array()));
}

// The API server accepts an object of 1.5 MiB, with any number of containers.
TEST(WorkloadParserTest, AThousandAndOneContainersAreRead) {
  Json object = WorkloadJson("many", "first:1");
  Json& containers = object["spec"]["template"]["spec"]["containers"];
  for (int i = 0; i < 30'000; ++i)
    containers.push_back({{"name", "c"}, {"image", "i:" + std::to_string(i)}});
  EXPECT_EQ(Images(WorkloadKind::kDeployment, object).size(), 30'001U);
}

// An invalid field that names no image keeps more, and causes no refusal.
TEST(WorkloadParserTest, OddThingsThatNameNoImageKeepMore) {
  const Json set =
      WithRevision(OwnedBy(WorkloadJson("api-1", "api:1", 0), "Deployment", "api"), "7");
  const auto with = [&](const char* pointer, Json value) {
    auto parsed = ParseWorkload(WorkloadKind::kReplicaSet, Edit(set, pointer, std::move(value)));
    EXPECT_TRUE(parsed) << pointer << ": " << parsed.error().what;
    EXPECT_EQ(parsed->images.size(), 1U) << pointer;
    return *std::move(parsed);
  };
  EXPECT_TRUE(with("/spec/replicas", "two").runs);
  EXPECT_TRUE(with("/status", "x").runs);
  EXPECT_TRUE(with("/status", {{"replicas", "x"}}).runs);
  EXPECT_FALSE(with("/metadata/ownerReferences", "x").owner);
  EXPECT_FALSE(with("/metadata/ownerReferences", {"x", 1}).owner);
  EXPECT_FALSE(with("/metadata/ownerReferences/1/uid", 1).owner);
  EXPECT_FALSE(with("/metadata/ownerReferences/1/controller", "true").owner);
  EXPECT_EQ(with("/metadata/annotations", 1).revision, 0);
  EXPECT_EQ(with("/metadata/annotations/deployment.kubernetes.io~1revision", 7).revision, 0);
  EXPECT_TRUE(with("/metadata/deletionTimestamp", 1).being_deleted);
  EXPECT_FALSE(with("/metadata/deletionTimestamp", nullptr).being_deleted);
  const Json job = Edit(WorkloadJson("job", "job:1"), "/status/conditions", 1);
  EXPECT_THAT(Images(WorkloadKind::kJob, job), ElementsAre("main=job:1"));
  const Json revision = Edit(RevisionJson("r", "r:1", 1), "/revision", "one");
  EXPECT_THAT(Images(WorkloadKind::kControllerRevision, revision), ElementsAre("main=r:1"));
}

TEST(WorkloadParserTest, AJobCountsUntilItHasFinished) {
  const auto with = [](const char* type, const char* status) {
    return Edit(
        WorkloadJson("job", "job:1"), "/status/conditions",
        {{{"type", "Suspended"}, {"status", "True"}}, {{"type", type}, {"status", status}}});
  };
  EXPECT_THAT(Images(WorkloadKind::kJob, with("Complete", "True")), IsEmpty());
  EXPECT_THAT(Images(WorkloadKind::kJob, with("Failed", "True")), IsEmpty());
  EXPECT_THAT(Images(WorkloadKind::kJob, with("Failed", "False")), ElementsAre("main=job:1"));
  EXPECT_THAT(Images(WorkloadKind::kJob, with("SuccessCriteriaMet", "True")),
              ElementsAre("main=job:1"));
}

TEST(WorkloadParserTest, KnowsOwnerRevisionAndScale) {
  Json object = WithRevision(OwnedBy(WorkloadJson("api-1", "api:1", 0), "Deployment", "api"), "12");
  auto parsed = ParseWorkload(WorkloadKind::kReplicaSet, object);
  ASSERT_TRUE(parsed);
  ASSERT_TRUE(parsed->owner);
  EXPECT_EQ(parsed->owner->uid, "uid-api");
  EXPECT_EQ(parsed->owner->kind, "Deployment");
  EXPECT_EQ(parsed->owner->group, "apps");
  EXPECT_EQ(parsed->revision, 12);
  EXPECT_TRUE(parsed->scaled_to_zero);
  EXPECT_FALSE(parsed->runs);

  object["status"] = {{"replicas", 1}};  // being terminated
  object["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "twelve";
  parsed = ParseWorkload(WorkloadKind::kReplicaSet, object);
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->runs);
  EXPECT_EQ(parsed->revision, 0);

  object["spec"].erase("replicas");  // one
  parsed = ParseWorkload(WorkloadKind::kReplicaSet, object);
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->scaled_to_zero);
}

// The API server stores any data in one, for any stated owner.
TEST(WorkloadParserTest, ARevisionNamesEveryImageInIt) {
  for (const char* kind : {"DaemonSet", "StatefulSet", "VirtualMachine"}) {
    Json revision = OwnedBy(RevisionJson("r", "x", 1), kind, "log");
    revision["data"] = {{"spec", {{"config", 1}}}};
    EXPECT_THAT(Images(WorkloadKind::kControllerRevision, revision), IsEmpty());
    revision["data"] =
        Json::parse(R"({"spec": {"leaderWorkerTemplate": {"workerTemplate": {"spec": {
        "containers": [{"name": "w", "image": "worker:1"}],
        "volumes": [{"name": "m", "image": {"reference": "model:1"}},
                    {"name": "d", "csi": {"volumeAttributes": {"image": "data:1"}}}]}}}}})");
    auto images = Images(WorkloadKind::kControllerRevision, revision);
    std::ranges::sort(images);
    EXPECT_THAT(images, ElementsAre("=data:1", "m=model:1", "w=worker:1"));
    revision["data"] = "raw";
    EXPECT_THAT(Images(WorkloadKind::kControllerRevision, revision), IsEmpty());
  }
  // A repeated key, as the filter writes it.
  Json twice = RevisionJson("r", "x", 1);
  twice["data"] = {{"name", "c"},
                   {"image", "a:1"},
                   {"image\x01"
                    "1",
                    "b:1"}};
  EXPECT_THAT(Images(WorkloadKind::kControllerRevision, twice), ElementsAre("c=a:1", "c=b:1"));
}

}  // namespace
}  // namespace imagesweep::kube
