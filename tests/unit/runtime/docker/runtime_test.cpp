#include "agent/runtime/docker/runtime.h"

#include <gmock/gmock.h>

#include "agent/model/image_index.h"
#include "agent/runtime/docker/pull_evidence.h"
#include "tests/support/fake_docker.h"
#include "tests/support/images.h"

namespace imagesweep::docker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kContainer(64, 'c');

std::vector<std::string> Texts(const RuntimeUse& use) {
  std::vector<std::string> texts;
  for (const ImageReference& reference : use.references) texts.push_back(reference.text);
  return texts;
}

struct RuntimeTest : testing::Test {
  void Answer(std::string of_target, FakeEngineReply with) {
    answers.emplace_back(std::move(of_target), std::move(with));
    engine.OnRequest([this](const std::string&, const std::string& target) {
      for (const auto& [part, reply] : answers)
        if (target.find(part) != std::string::npos) return std::optional(reply);
      return std::optional<FakeEngineReply>();
    });
  }
  std::vector<std::pair<std::string, FakeEngineReply>> answers;
  FakeDocker engine;
  Client client{engine.socket_path()};
  Runtime runtime{client};
};

TEST_F(RuntimeTest, ListsImagesWithNormalisedNames) {
  engine.AddImage({.id = Id("a"), .tags = {"nginx:1"}, .digests = {"nginx@" + Id("d")}});
  engine.AddImage({.id = Id("b")});
  const auto images = runtime.ListImages({});
  ASSERT_TRUE(images) << images.error().what;
  ASSERT_THAT(*images, SizeIs(2));
  EXPECT_EQ(images->at(0).tags.at(0).text(), "docker.io/library/nginx:1");
  EXPECT_EQ(images->at(0).digests.at(0).text(), "docker.io/library/nginx@" + Id("d"));
  EXPECT_FALSE(images->at(0).digests.at(0).unqualified()) << "a placeholder of an import is";
  EXPECT_EQ(images->at(0).size_bytes, 1024);
  EXPECT_THAT(images->at(1).tags, IsEmpty());
  EXPECT_THAT(images->at(1).digests, IsEmpty());
}

// `docker commit`, `docker build -q`, and `docker load` make images that never had a name.
TEST_F(RuntimeTest, TellsWhichImagesWithoutANameHadATag) {
  const std::string tagged = "2026-11-30T12:00:00.5Z";
  engine.AddImage({.id = Id("moved"), .last_tag_time = tagged});
  engine.AddImage({.id = Id("commit")});
  engine.AddImage({.id = Id("named"), .tags = {"app:1"}, .last_tag_time = tagged});
  for (int list = 0; list < 2; ++list) {
    const auto images = runtime.ListImages({});
    ASSERT_TRUE(images) << images.error().what;
    EXPECT_TRUE(images->at(0).had_tag);
    EXPECT_FALSE(images->at(1).had_tag);
    EXPECT_FALSE(images->at(2).had_tag) << "it still has its tag";
  }
}

// The containerd store reports the time of the record, also of one that never had a tag.
TEST_F(RuntimeTest, TakesNoTimeOfTheContainerdStoreForATag) {
  engine.Edit([](FakeEngineNode& node) { node.containerd_store = true; });
  engine.AddImage({.id = Id("commit"), .last_tag_time = "2026-11-30T12:00:00.5Z"});
  const auto images = runtime.ListImages({});
  ASSERT_TRUE(images) << images.error().what;
  EXPECT_FALSE(images->at(0).had_tag);
}

TEST_F(RuntimeTest, FailsToListIfAnImageWithoutANameCannotBeRead) {
  engine.AddImage({.id = Id("commit")});
  Answer(Id("commit").substr(7) + "/json", FakeEngineReply::Failure(500, "no"));
  EXPECT_FALSE(runtime.ListImages({}));
}

// A list of Docker 29 has one repo digest of an image, and an inspection all.
TEST_F(RuntimeTest, GivesAnImageTheSameNamesInAListAndAlone) {
  engine.Edit([](FakeEngineNode& node) { node.containerd_store = true; });
  engine.AddImage(
      {.id = Id("a"),
       .tags = {"app:1", "mirror.example/app:1", "other@" + Id("a")},
       .digests = {"app@" + Id("a"), "mirror.example/app@" + Id("a"), "other@" + Id("a")}});
  const auto status = runtime.ImageStatus(ImageId(Id("a")), {});
  ASSERT_TRUE(status) << status.error().what;
  engine.Edit([](FakeEngineNode& node) { node.images[0].digests.resize(1); });
  const auto images = runtime.ListImages({});
  ASSERT_TRUE(images) << images.error().what;
  auto sorted = [](std::vector<ImageName> names) {
    std::ranges::sort(names);
    return names;
  };
  EXPECT_EQ(images->at(0).tags, (*status)->tags);
  EXPECT_THAT(images->at(0).tags, SizeIs(2));
  EXPECT_EQ(sorted(images->at(0).digests), sorted((*status)->digests));
  EXPECT_THAT(images->at(0).digests, SizeIs(3));
}

TEST_F(RuntimeTest, ReadsAContainerByIdAndByName) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}});
  engine.AddContainer(
      {.id = kContainer, .name = "db", .image = "app:1", .image_id = Id("a"), .state = "exited"});
  const auto use = runtime.ReadContainers({});
  ASSERT_TRUE(use) << use.error().what;
  EXPECT_THAT(Texts(*use), ElementsAre(Id("a"), "app:1"));
  EXPECT_EQ(use->references[1].resolved, Id("a"));
  EXPECT_EQ(Describe(use->references[0].by), "db");
  EXPECT_THAT(use->ids, ElementsAre(kContainer));
  EXPECT_EQ(use->containers, 1);
  EXPECT_THAT(use->container_pods, IsEmpty());
}

TEST_F(RuntimeTest, NamesAComposeServiceWithoutMakingItAPod) {
  engine.AddContainer(
      {.id = kContainer,
       .name = "shop-web-1",
       .image = "app:1",
       .image_id = Id("a"),
       .labels = {{"com.docker.compose.project", "shop"}, {"com.docker.compose.service", "web"}}});
  const auto use = runtime.ReadContainers({});
  ASSERT_TRUE(use) << use.error().what;
  const ImageUser& by = use->references.at(0).by;
  EXPECT_EQ(Describe(by), "shop/web");
  EXPECT_EQ(by.kind, ImageUserKind::kContainer);
  EXPECT_EQ(by.pod, "");
  EXPECT_EQ(by.pod_namespace, "");
}

TEST_F(RuntimeTest, TellsPodsAndSandboxesByTheirLabels) {
  std::map<std::string, std::string> pod = {{"io.kubernetes.pod.namespace", "prod"},
                                            {"io.kubernetes.pod.name", "api-0"},
                                            {"io.kubernetes.pod.uid", "u1"},
                                            {"io.kubernetes.docker.type", "container"},
                                            {"io.kubernetes.container.name", "web"}};
  engine.AddContainer({.id = kContainer, .image = "app:1", .image_id = Id("a"), .labels = pod});
  pod["io.kubernetes.docker.type"] = "podsandbox";
  pod.erase("io.kubernetes.container.name");
  engine.AddContainer(
      {.id = std::string(64, 'd'), .image = "pause:3", .image_id = Id("p"), .labels = pod});
  const auto use = runtime.ReadUse({});
  ASSERT_TRUE(use) << use.error().what;
  EXPECT_EQ(Describe(use->references[0].by), "prod/api-0/web");
  EXPECT_EQ(use->containers, 1);
  ASSERT_THAT(use->container_pods, SizeIs(1));
  EXPECT_EQ(use->container_pods[0].uid, "u1");
  ASSERT_THAT(use->ready_sandboxes, SizeIs(1));
  EXPECT_THAT(use->stopped_sandboxes, IsEmpty());
  EXPECT_THAT(use->sandbox_images, ElementsAre(Id("p")));  // the name is unknown to the daemon
  EXPECT_THAT(use->ids, SizeIs(2));
}

TEST_F(RuntimeTest, KnowsAMountedImageByItsDigest) {
  engine.AddContainer(
      {.id = kContainer, .image = "app:1", .image_id = Id("a"), .mounted_images = {Id("m")}});
  const auto use = runtime.ReadContainers({});
  ASSERT_TRUE(use) << use.error().what;
  EXPECT_THAT(Texts(*use), testing::Contains(Id("m")));
  EXPECT_EQ(use->references.back().by.kind, ImageUserKind::kImageVolume);
}

TEST_F(RuntimeTest, KnowsAMountedImageByARepoDigestOnlyWhileDockerFindsIt) {
  const std::string name = "data@" + Id("d");
  engine.AddContainer(
      {.id = kContainer, .image = "app:1", .image_id = Id("a"), .mounted_images = {name}});
  const auto use = runtime.ReadContainers({});
  ASSERT_FALSE(use) << "docker rmi data:1 also removes its digest";
  EXPECT_EQ(use.error().kind, ErrorKind::kIncomplete);
  EXPECT_THAT(use.error().what, HasSubstr("mounts the image \"" + name + "\""));

  const FakeEngineReply image{.body = R"({"Id":")" + Id("m") + R"(","RepoTags":["copy:1"]})"};
  const auto escaped = [](std::string text) {
    for (const auto& [from, to] : {std::pair("@", "%40"), std::pair(":", "%3A")})
      for (auto at = text.find(from); at != std::string::npos; at = text.find(from))
        text.replace(at, 1, to);
    return text;
  };
  for (const std::string& known_as : {Id("d"), name}) {
    SCOPED_TRACE(known_as);
    Runtime fresh{client};
    answers.clear();
    Answer("/images/" + escaped(known_as) + "/json", image);
    const auto found = fresh.ReadContainers({});
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_THAT(Texts(*found), testing::Contains(Id("m")));
  }
}

TEST_F(RuntimeTest, KnowsAMountedImageIfItsNameIsOlderThanTheContainer) {
  engine.AddContainer(
      {.id = kContainer, .image = "app:1", .image_id = Id("a"), .mounted_images = {"data:1"}});
  Answer("/containers/" + kContainer + "/json",
         {.body = R"({"Image":")" + Id("a") + R"(","Created":"2026-11-30T12:00:00Z"})"});
  Answer("/images/data%3A1/json",
         {.body = R"({"Id":")" + Id("m") + R"(","RepoTags":["data:1"],"RepoDigests":["data@)" +
                  Id("m") + R"("],"Metadata":{"LastTagTime":"2026-11-30T11:59:59.5Z"}})"});
  for (int time = 0; time < 2; ++time) {
    engine.ForgetRequests();
    const auto use = runtime.ReadContainers({});
    ASSERT_TRUE(use) << use.error().what;
    EXPECT_THAT(Texts(*use), testing::IsSupersetOf({std::string("data:1"), Id("m")}));
  }
  EXPECT_THAT(engine.Log(), ElementsAre("GET /containers/json?all=1"));  // one request from then on
}

TEST_F(RuntimeTest, DoesNotGuessWhichImageAMountedNameMeant) {
  engine.AddContainer(
      {.id = kContainer, .image = "app:1", .image_id = Id("a"), .mounted_images = {"data:1"}});
  Answer("/containers/" + kContainer + "/json",
         {.body = R"({"Image":")" + Id("a") + R"(","Created":"2026-11-30T12:00:00Z"})"});
  Answer("/images/data%3A1/json",
         {.body = R"({"Id":")" + Id("m") + R"(","RepoTags":["data:1"],"RepoDigests":["data@)" +
                  Id("m") + R"("],"Metadata":{"LastTagTime":"2026-11-30T12:00:00.5Z"}})"});
  const auto use = runtime.ReadContainers({});
  ASSERT_FALSE(use);
  EXPECT_EQ(use.error().kind, ErrorKind::kIncomplete);
  EXPECT_THAT(use.error().what, HasSubstr("mounts the image \"data:1\""));
}

TEST_F(RuntimeTest, NeedsTheImagesOfSwarmServices) {
  engine.Edit([](FakeEngineNode& node) { node.swarm = true; });
  Answer("/services", {.body = R"([{"Spec":{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":)"
                               R"("web:2@)" +
                               Id("d") +
                               R"("}}},"PreviousSpec":{"Name":"web",)"
                               R"("TaskTemplate":{"ContainerSpec":{"Image":"web:1"}}}}])"});
  const auto use = runtime.ReadUse({});
  ASSERT_TRUE(use) << use.error().what;
  EXPECT_THAT(Texts(*use), ElementsAre("web:2@" + Id("d"), "web:2", "web:1"));
  EXPECT_EQ(Describe(use->references[0].by), "swarm service web");
}

TEST_F(RuntimeTest, CannotReadTheUseOnAWorkerOfASwarm) {
  engine.Edit([](FakeEngineNode& node) { node.swarm = true; });
  Answer("/services", FakeEngineReply::Failure(503, "This node is not a swarm manager."));
  const auto use = runtime.ReadUse({});
  ASSERT_FALSE(use);
  EXPECT_EQ(use.error().kind, ErrorKind::kIncomplete);
  EXPECT_THAT(use.error().what, HasSubstr("not a swarm manager"));
}

TEST_F(RuntimeTest, NoticesAnotherDaemonBehindTheSameSocket) {
  const auto first = runtime.Identity({});
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(first->name, "docker");
  EXPECT_EQ(first->endpoint, "unix://" + engine.socket_path());
  engine.Edit([](FakeEngineNode& node) { node.root = "/other"; });
  EXPECT_EQ(runtime.Identity({}).error().kind, ErrorKind::kIncomplete);
  EXPECT_TRUE(runtime.Identity({}));
}

struct PullEvidenceTest : RuntimeTest {
  std::vector<OriginProof> Proofs() {
    const auto images = runtime.ListImages({});
    EXPECT_TRUE(images);
    RuntimeIdentity identity;
    identity.name = "docker";
    identity.version = "29.1.0";
    const auto found = evidence.Find(*images, identity, {});
    EXPECT_TRUE(found) << found.error().what;
    missing = found->missing;
    return found->proofs.empty() ? std::vector<OriginProof>() : found->proofs.at(0);
  }
  void Add(FakeEngineImage image) {
    engine.Edit([&](FakeEngineNode& node) {
      node.containerd_store = true;
      node.api_version = "1.53";
      node.images = {std::move(image)};
    });
  }
  PullEvidence evidence{client};
  std::string missing;
};

TEST_F(PullEvidenceTest, CountsTheRepositoryThatIdentityNames) {
  Add({.id = Id("a"),
       .tags = {"app:1"},
       .digests = {"app@" + Id("a")},
       .pulled_from = {"docker.io/library/app"}});
  const auto proofs = Proofs();
  ASSERT_THAT(proofs, SizeIs(1));
  EXPECT_EQ(proofs[0].repository, "docker.io/library/app");
  EXPECT_EQ(proofs[0].pull_by, "docker.io/library/app@" + Id("a"));
  engine.ForgetRequests();
  EXPECT_THAT(Proofs(), SizeIs(1));
  EXPECT_THAT(engine.Log(), SizeIs(1));  // the list: the proof is remembered
}

TEST_F(PullEvidenceTest, SaysThatDockerReportsNoPull) {
  Add({.id = Id("a"), .tags = {"app:1"}, .digests = {"app@" + Id("a")}, .built_here = true});
  EXPECT_THAT(Proofs(), IsEmpty());
  EXPECT_EQ(missing, "Docker 29.1.0 reports no pull of it");
}

TEST_F(PullEvidenceTest, DoesNotGuessAPort) {
  Add({.id = Id("a"),
       .tags = {"host:5000/app:1"},
       .digests = {"host:5000/app@" + Id("a")},
       .pulled_from = {"host/app"}});
  ASSERT_THAT(Proofs(), SizeIs(1));
  Add({.id = Id("b"),
       .tags = {"host:5000/app:1", "host:6000/app:1"},
       .digests = {"host:5000/app@" + Id("b"), "host:6000/app@" + Id("b")},
       .pulled_from = {"host/app"}});
  EXPECT_THAT(Proofs(), IsEmpty());
}

TEST_F(PullEvidenceTest, LeavesDockersOwnStoreToTheRepoDigests) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}, .digests = {"app@" + Id("d")}});
  EXPECT_THAT(Proofs(), IsEmpty());
  EXPECT_EQ(missing, "");
}

}  // namespace
}  // namespace imagesweep::docker
