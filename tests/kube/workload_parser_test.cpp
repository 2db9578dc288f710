#include "agent/kube/workload_parser.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/kube/workload_objects.h"

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
    EXPECT_THAT(Images(kind, watched), ElementsAre(HasSubstr("it is a Pod")));
  }
}

TEST(WorkloadParserTest, CountsInitContainersSidecarsAndImageVolumes) {
  Json object = WorkloadJson("api", "api:1");
  Json& spec = object["spec"]["template"]["spec"];
  spec["initContainers"] = {{{"name", "migrate"}, {"image", "migrate:1"}},
                            {{"name", "proxy"}, {"image", "proxy:1"}, {"restartPolicy", "Always"}}};
  spec["volumes"] = {{{"name", "cache"}, {"emptyDir", Json::object()}},
                     {{"name", "model"}, {"image", {{"reference", "model:1"}}}},
                     {{"name", "later"}, {"image", {{"pullPolicy", "Never"}}}}};
  spec["containers"].push_back({{"name", "patched-in"}, {"image", " "}});
  spec["somethingNew"] = {{"a", 1}};
  EXPECT_THAT(Images(WorkloadKind::kDeployment, object),
              ElementsAre("main=api:1", "migrate=migrate:1", "proxy=proxy:1", "model=model:1"));
}

TEST(WorkloadParserTest, WhatItCannotUnderstandIsAnErrorThatNamesTheObject) {
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
      {"replicas", "/spec/replicas", "two", "replicas is not a number"},
      {"status", "/status", "x", "status is not an object"},
      {"owners", "/metadata/ownerReferences", "x", "is not an array"},
      {"no uid", "/metadata/uid", "", "no name, namespace or uid"},
      {"no metadata", "/metadata", nullptr, "it has no metadata"},
      {"annotations", "/metadata/annotations", 1, "annotations is not an object"},
      {"conditions", "/status/conditions", 1, "is not an array", WorkloadKind::kJob},
      {"no job", "/spec/jobTemplate", nullptr, "it has no jobTemplate", WorkloadKind::kCronJob},
      {"no revision", "/data", nullptr, "revision is no number", WorkloadKind::kControllerRevision},
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

TEST(WorkloadParserTest, OneObjectTakesBoundedMemory) {
  Json object = WorkloadJson("api", "api:1");
  Json& containers = object["spec"]["template"]["spec"]["containers"];
  for (int i = 0; i < 1000; ++i) containers.push_back({{"name", "c"}, {"image", "i"}});
  EXPECT_THAT(Images(WorkloadKind::kDeployment, object), ElementsAre(HasSubstr("more than 1000")));
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
  EXPECT_EQ(parsed->revision, 12);
  EXPECT_TRUE(parsed->scaled_to_zero);
  EXPECT_FALSE(parsed->runs);

  object["status"] = {{"replicas", 1}};  // on their way out
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

TEST(WorkloadParserTest, ARevisionOfKubernetesNeedsATemplateAndOneOfOthersIsSearched) {
  Json revision = OwnedBy(RevisionJson("r", "x", 1), "DaemonSet", "log");
  revision["data"] = {{"spec", {{"config", 1}}}};
  EXPECT_THAT(Images(WorkloadKind::kControllerRevision, revision),
              ElementsAre(HasSubstr("no pod template")));

  revision = OwnedBy(revision, "VirtualMachine", "vm");
  EXPECT_THAT(Images(WorkloadKind::kControllerRevision, revision), IsEmpty());
  revision["data"] = Json::parse(R"({"spec": {"leaderWorkerTemplate": {"workerTemplate": {"spec": {
      "containers": [{"name": "w", "image": "worker:1"}],
      "volumes": [{"name": "m", "image": {"reference": "model:1"}}]}}}}})");
  auto images = Images(WorkloadKind::kControllerRevision, revision);
  std::ranges::sort(images);
  EXPECT_THAT(images, ElementsAre("m=model:1", "w=worker:1"));
  revision["data"] = "raw";
  EXPECT_THAT(Images(WorkloadKind::kControllerRevision, revision), IsEmpty());
}

// What is left out while parsing does not hide a key that stands twice after it.
TEST(WorkloadParserTest, BallastIsLeftOutAndTheRestStaysStrict) {
  const auto parsed = ParseStrict(
      R"({"metadata": {"managedFields": [{"f": {"f": {}}}], "name": "a"},
          "spec": {"env": [{"name": "a", "name2": "b"}], "name": "b"}, "env": 1})",
      WorkloadBallast());
  ASSERT_TRUE(parsed) << parsed.error().what;
  EXPECT_EQ(parsed->dump(), R"({"metadata":{"name":"a"},"spec":{"name":"b"}})");
  for (const char* twice : {R"({"env": {"a": 1, "a": 2}})", R"({"env": {"x": {}}, "b": 1, "b": 2})",
                            R"({"a": {"env": {}, "c": 1, "c": 1}})", R"({"env": 1, "env": 2})"})
    EXPECT_FALSE(ParseStrict(twice, WorkloadBallast())) << twice;
}

}  // namespace
}  // namespace imagesweep::kube
