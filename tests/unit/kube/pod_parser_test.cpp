#include "agent/kube/pods/pod_parser.h"

#include <gmock/gmock.h>

#include "tests/unit/kube/objects.h"

namespace imagesweep::kube {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Each reference as "text <- resolved @ container".
std::vector<std::string> Lines(const Pod& pod) {
  std::vector<std::string> lines;
  for (const auto& reference : pod.references) {
    std::string line = reference.text;
    if (!reference.resolved.empty()) line += " <- " + reference.resolved;
    lines.push_back(line + " @ " + reference.by.container);
  }
  return lines;
}

TEST(PodParserTest, CountsEveryPlaceThatNamesAnImage) {
  const auto pod = ParsePod(Json::parse(R"({
    "kind": "Pod",
    "metadata": {"name": "api", "namespace": "shop", "uid": "u1", "resourceVersion": "7"},
    "spec": {
      "containers": [{"name": "web", "image": "web:2"}],
      "initContainers": [{"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"}],
      "ephemeralContainers": [{"name": "debug", "image": "busybox"}],
      "volumes": [{"name": "model", "image": {"reference": "model:1"}},
                  {"name": "data", "csi": {"driver": "csi-image.warm-metal.tech",
                                           "volumeAttributes": {"image": "data:1", "x": "y"}}},
                  {"name": "other", "csi": {"driver": "d", "volumeAttributes": null}},
                  {"name": "tmp", "emptyDir": {}}]},
    "status": {
      "phase": "Running",
      "containerStatuses": [{"name": "web", "image": "web:1", "imageID": "web@sha256:aa"}],
      "initContainerStatuses": [{"name": "proxy", "image": "proxy:1", "imageID": ""}],
      "ephemeralContainerStatuses": [{"name": "debug", "image": "busybox", "imageID": "sha256:cc"},
                                     {"name": "old", "image": "old:1", "imageID": "sha256:dd"}]}})"));
  ASSERT_TRUE(pod) << pod.error().what;
  EXPECT_THAT(Lines(*pod), UnorderedElementsAre(
                               "web:2 <- web@sha256:aa @ web", "web:1 @ web", "web@sha256:aa @ web",
                               "proxy:1 @ proxy", "proxy:1 @ proxy", "busybox <- sha256:cc @ debug",
                               "busybox @ debug", "sha256:cc @ debug", "old:1 @ old",
                               "sha256:dd @ old", "model:1 @ model", "data:1 @ data"));
  EXPECT_EQ(pod->key.uid, "u1");
  EXPECT_EQ(pod->references.front().by.pod_namespace, "shop");
  EXPECT_EQ(pod->references.back().by.kind, ImageUserKind::kImageVolume);
}

TEST(PodParserTest, FinishedPodsCountThroughTheirContainersAlone) {
  for (const char* phase : {"Succeeded", "Failed"}) {
    Json done = PodJson("job", "job:1");
    done["status"]["phase"] = phase;
    const auto pod = ParsePod(done);
    ASSERT_TRUE(pod) << phase;
    EXPECT_TRUE(pod->finished) << phase;
    EXPECT_THAT(pod->references, IsEmpty()) << phase;
    EXPECT_EQ(pod->key.name, "job") << phase;
  }
  for (const char* phase : {"Pending", "Running", "Unknown", "", "SomethingNew"}) {
    Json pod = PodJson("p", "p:1");
    pod["status"]["phase"] = phase;
    EXPECT_EQ(ParsePod(pod)->references.size(), 1U) << phase;
  }
}

// After a graceful shutdown of the node, every static pod is Failed, and the kubelet starts it
// again.
TEST(PodParserTest, AFinishedMirrorPodStillNamesItsImages) {
  for (const char* phase : {"Succeeded", "Failed"}) {
    Json etcd = PodJson("etcd-node1", "etcd:1");
    etcd["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "abc";
    etcd["status"]["phase"] = phase;
    const auto pod = ParsePod(etcd);
    ASSERT_TRUE(pod) << phase;
    EXPECT_TRUE(pod->finished) << phase;
    EXPECT_THAT(Lines(*pod), testing::ElementsAre("etcd:1 @ main")) << phase;
  }
}

TEST(PodParserTest, APodWithoutStatusIsBoundAndCounts) {
  Json fresh = PodJson("new", "new:1");
  fresh.erase("status");
  ASSERT_TRUE(ParsePod(fresh));
  EXPECT_EQ(ParsePod(fresh)->references.size(), 1U);
}

TEST(PodParserTest, HostileTextsStayAsTheyAre) {
  const std::string name = "evil\n\x1b[31m\"%n%s{}../" + std::string(64'000, 't');
  const auto pod = ParsePod(PodJson("p", name));
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->references.front().text, name);
}

// W21: an error for the whole list. A pod is never left out.
TEST(PodParserTest, RejectsMalformedPods) {
  const struct {
    const char* why;
    const char* patch;  // RFC 7386
    const char* says;
  } cases[] = {
      {"image is a number", R"({"spec":{"containers":[{"name":"a","image":5}]}})", "image is not"},
      {"image is missing", R"({"spec":{"containers":[{"name":"a"}]}})", "has no image"},
      {"image is empty", R"({"spec":{"containers":[{"name":"a","image":""}]}})", "has no image"},
      {"container is a text", R"({"spec":{"containers":["a"]}})", "container is not an object"},
      {"containers is an object", R"({"spec":{"containers":{"a":"b"}}})", "containers is not"},
      {"no containers", R"({"spec":{"containers":[]}})", "no containers"},
      {"containers is null", R"({"spec":{"containers":null}})", "no containers"},
      {"initContainers is a text", R"({"spec":{"initContainers":"a"}})", "initContainers is not"},
      {"no metadata", R"({"metadata":null})", "no metadata"},
      {"no spec", R"({"spec":null})", "no spec"},
      {"no name", R"({"metadata":{"name":null}})", "no name"},
      {"no uid", R"({"metadata":{"uid":null}})", "uid"},
      {"name is a number", R"({"metadata":{"name":3}})", "name is not"},
      {"phase is a number", R"({"status":{"phase":3}})", "phase is not"},
      {"imageID is a list", R"({"status":{"containerStatuses":[{"name":"a","imageID":[]}]}})",
       "imageID is not"},
      {"statuses is a text", R"({"status":{"containerStatuses":"x"}})", "containerStatuses is not"},
      {"volume is a text", R"({"spec":{"volumes":["x"]}})", "volume is not"},
      {"image volume without reference", R"({"spec":{"volumes":[{"name":"v","image":{}}]}})",
       "no reference"},
      {"another kind", R"({"kind":"Node"})", "its kind is Node"},
  };
  for (const auto& [why, patch, says] : cases) {
    Json object = PodJson("p", "p:1");
    object.merge_patch(Json::parse(patch));
    // merge_patch drops nulls, but some servers send a null value.
    if (std::string(why) == "containers is null") object["spec"]["containers"] = nullptr;
    const auto pod = ParsePod(object);
    ASSERT_FALSE(pod) << why;
    EXPECT_EQ(pod.error().kind, ErrorKind::kIncomplete) << why;
    EXPECT_THAT(pod.error().what, HasSubstr(says)) << why;
  }
  EXPECT_FALSE(ParsePod(Json(7)));
}

}  // namespace
}  // namespace imagesweep::kube
