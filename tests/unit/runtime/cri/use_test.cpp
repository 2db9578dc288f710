#include <algorithm>

#include "agent/model/image_index.h"
#include "tests/unit/runtime/cri/fixture.h"

namespace imagesweep::cri {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const PodKey kPod{"shop", "api-7d9", "uid-1"};

std::vector<std::string> Texts(const RuntimeUse& use) {
  std::vector<std::string> texts;
  for (const ImageReference& reference : use.references) texts.push_back(reference.text);
  return texts;
}

class UseTest : public testing::Test {
 protected:
  RuntimeUse Read() {
    auto use = client_.runtime.ReadUse(never_);
    EXPECT_TRUE(use) << use.error().what;
    return use ? *std::move(use) : RuntimeUse{};
  }
  Error ReadError() {
    auto use = client_.runtime.ReadUse(never_);
    EXPECT_FALSE(use);
    return use ? Error{} : use.error();
  }
  void Add(FakeContainer container) {
    fake_.Edit([&](FakeNode& node) { node.containers.push_back(std::move(container)); });
  }

  FakeCri fake_;
  Client client_{fake_};
  const std::stop_token never_{};
};

// A removal follows within 50 ms of the recheck, so facts that cannot change are not read again.
TEST_F(UseTest, TheContainersAloneAreOneCallWhereNoneIsNew) {
  fake_.AddImage(FakeImage::From(Img("used", {"quay.io/shop/api:7"})));
  fake_.RunPod(kPod, "web", "quay.io/shop/api:7");
  const RuntimeUse all = Read();
  fake_.ForgetCalls();
  const auto again = client_.runtime.ReadContainers(never_);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(fake_.calls().size(), 1U);
  EXPECT_EQ(Texts(*again), Texts(all));
  EXPECT_EQ(again->containers, all.containers);
  EXPECT_EQ(again->ids.size(), again->containers) << "and no sandboxes";

  fake_.RunPod({"shop", "new", "uid-2"}, "web", "quay.io/shop/api:7");
  fake_.ForgetCalls();
  const auto more = client_.runtime.ReadContainers(never_);
  ASSERT_TRUE(more) << more.error().what;
  EXPECT_EQ(more->containers, 2U);
  EXPECT_EQ(fake_.Count("ContainerStatus"), 1U) << "its mounts are in no list";
}

TEST(UseOfRuntimesTest, ReferencesOfEveryLayoutLeadToTheImage) {
  for (const auto flavour : {Flavour::kContainerd22, Flavour::kContainerd23, Flavour::kCrio129,
                             Flavour::kCrio130, Flavour::kDockerd}) {
    FakeCri fake(flavour);
    Client client(fake);
    FakeImage used = FakeImage::From(Img("used", {"quay.io/shop/api:7"}));
    FakeImage other = FakeImage::From(Img("other", {"quay.io/shop/web:7"}));
    if (flavour == Flavour::kCrio129 || flavour == Flavour::kCrio130) {
      used.id = used.id.substr(7);
      other.id = other.id.substr(7);
    }
    fake.AddImage(other);
    fake.AddImage(used);
    fake.RunPod(kPod, "web", "quay.io/shop/api:7");

    const auto images = client.runtime.ListImages({});
    const auto use = client.runtime.ReadUse({});

    ASSERT_TRUE(images && use) << use.error().what;
    const ImageIndex index(*images);
    std::size_t led = 0;
    for (const ImageReference& reference : use->references) {
      EXPECT_THAT(index.Resolve(reference), ElementsAre(ImagePos(1))) << reference.text;
      EXPECT_EQ(reference.by, (ImageUser{ImageUserKind::kContainer, "shop", "api-7d9", "web"}));
      ++led;
    }
    EXPECT_GE(led, 2u);
    EXPECT_EQ(use->containers, 1u);
  }
}

TEST_F(UseTest, AnIdOfAnotherAlgorithmLeadsToItsImage) {
  const std::string sha512 = "sha512:" + std::string(128, 'a');
  fake_.AddImage({.id = sha512});
  fake_.RunPod(kPod, "web", sha512);
  const auto images = client_.runtime.ListImages(never_);
  ASSERT_TRUE(images) << images.error().what;
  const RuntimeUse use = Read();
  ASSERT_FALSE(use.references.empty());
  for (const ImageReference& reference : use.references)
    EXPECT_THAT(ImageIndex(*images).Resolve(reference), ElementsAre(ImagePos(0))) << reference.text;
}

TEST_F(UseTest, EveryFieldThatMayNameTheImageArrivesAlone) {
  const std::pair<std::string, std::string FakeContainer::*> rows[] = {
      {"image.image", &FakeContainer::image},
      {"image.user_specified_image", &FakeContainer::user_specified_image},
      {"image.image_ref", &FakeContainer::spec_image_ref},
      {"image_ref", &FakeContainer::image_ref},
      {"image_id", &FakeContainer::image_id},
      {"status.image_ref", &FakeContainer::status_image_ref},
  };
  for (const auto& [name, field] : rows) {
    FakeContainer container{.id = "c-" + name, .name = "web"};
    container.*field = name + "/app:1";
    fake_.Edit([&](FakeNode& node) { node.containers = {container}; });
    EXPECT_THAT(Texts(Read()), ElementsAre(name + "/app:1")) << name;
  }
}

TEST_F(UseTest, AContainerCountsInEveryState) {
  for (const auto state : {FakeContainer::State::kCreated, FakeContainer::State::kRunning,
                           FakeContainer::State::kExited, FakeContainer::State::kUnknown})
    Add({.id = "c" + std::to_string(static_cast<int>(state)),
         .image = "app:" + std::to_string(static_cast<int>(state)),
         .state = state});
  EXPECT_THAT(Texts(Read()), UnorderedElementsAre("app:0", "app:1", "app:2", "app:3"));
  EXPECT_THAT(fake_.Arguments("ListContainers"), testing::Each(""));  // no filter
  EXPECT_THAT(fake_.Arguments("ListPodSandbox"), ElementsAre(""));
}

TEST_F(UseTest, ReadsTheResolvedImageOfEachReference) {
  Add({.id = "c1", .image = "app:1", .image_ref = "quay.io/app@" + Id("d")});
  Add({.id = "c2", .image = "app:2", .image_ref = "quay.io/other@" + Id("e"), .image_id = Id("i")});
  const RuntimeUse use = Read();
  for (const ImageReference& reference : use.references) {
    const bool first = reference.text == "app:1" || reference.text == "quay.io/app@" + Id("d");
    EXPECT_EQ(reference.resolved, first ? "quay.io/app@" + Id("d") : Id("i")) << reference.text;
  }
  EXPECT_THAT(Texts(use), Contains("app:1"));
  EXPECT_THAT(Texts(use), Contains("app:2"));
}

TEST_F(UseTest, ImagesMountedAsVolumesAreReferences) {
  Add({.id = "c1",
       .name = "web",
       .pod = kPod,
       .image = "app:1",
       .volumes = {{"/models", "quay.io/models@" + Id("m"), "quay.io/models:3", Id("v")},
                   {"/data", "data:1", "", ""}}});
  std::vector<ImageReference> mounted;
  for (const ImageReference& reference : Read().references)
    if (reference.by.kind == ImageUserKind::kImageVolume) mounted.push_back(reference);
  ASSERT_EQ(mounted.size(), 4u);
  EXPECT_EQ(mounted[0].text, "quay.io/models@" + Id("m"));
  EXPECT_EQ(mounted[1].text, "quay.io/models:3");
  EXPECT_EQ(mounted[2].text, Id("v"));
  EXPECT_EQ(mounted[3].text, "data:1");
  EXPECT_EQ(mounted[0].by, (ImageUser{ImageUserKind::kImageVolume, "shop", "api-7d9", "/models"}));
}

TEST_F(UseTest, AsksForTheStatusOfAContainerOnceWhileItIsListed) {
  Add({.id = "c1", .image = "app:1", .volumes = {{"/models", "models:1", "", ""}}});
  Read();
  EXPECT_THAT(Texts(Read()), Contains("models:1"));
  EXPECT_THAT(fake_.Arguments("ContainerStatus"), ElementsAre("c1"));
  Add({.id = "c2", .image = "app:2"});
  Read();
  EXPECT_THAT(fake_.Arguments("ContainerStatus"), ElementsAre("c1", "c2"));
  fake_.RemoveContainer("c1");
  Read();
  Add({.id = "c1", .image = "app:1"});
  EXPECT_THAT(Texts(Read()), UnorderedElementsAre("app:1", "app:2"));
  EXPECT_THAT(fake_.Arguments("ContainerStatus"), ElementsAre("c1", "c2", "c1"));
}

TEST_F(UseTest, IgnoresAContainerDeletedDuringTheRead) {
  Add({.id = "c1", .image = "app:1"});
  Add({.id = "c2", .image = "app:2"});
  fake_.After("ListContainers", [&](const FakeCall&) { fake_.RemoveContainer("c1"); });
  EXPECT_THAT(Texts(Read()), UnorderedElementsAre("app:1", "app:2"));
}

TEST_F(UseTest, AContainerThatStaysListedWithoutAStatusIsAnError) {
  Add({.id = "c1", .image = "app:1"});
  fake_.Set("ContainerStatus", {.code = grpc::StatusCode::NOT_FOUND, .message = "lost"});
  const Error error = ReadError();
  EXPECT_EQ(error.kind, ErrorKind::kIncomplete);
  EXPECT_THAT(error.what, HasSubstr("c1"));
}

TEST_F(UseTest, AContainerThatNamesNoImageIsAnError) {
  Add({.id = "c1"});
  EXPECT_EQ(ReadError().kind, ErrorKind::kIncomplete);
}

TEST_F(UseTest, AContainerWithoutAnIdIsAnError) {
  Add({.id = "", .image = "app:1"});
  EXPECT_EQ(ReadError().kind, ErrorKind::kIncomplete);
}

TEST_F(UseTest, AnyReadThatFailsFailsTheWhole) {
  Add({.id = "c1", .image = "app:1"});
  fake_.Edit([](FakeNode& node) { node.sandboxes = {{.id = "s1", .pod = kPod}}; });
  for (const std::string method :
       {"Status", "ListPodSandbox", "PodSandboxStatus", "ListContainers", "ContainerStatus"}) {
    fake_.Set(method, {.code = grpc::StatusCode::UNKNOWN, .message = "broken"});
    const Error error = ReadError();
    EXPECT_EQ(error.kind, ErrorKind::kInternal) << method;
    EXPECT_THAT(error.what, HasSubstr(method + ": UNKNOWN: broken"));
    fake_.ClearFaults();
  }
  EXPECT_EQ(Read().containers, 1u);
}

TEST_F(UseTest, ContainersComeByStreamWhereThereIsOne) {
  for (int i = 0; i < 5; ++i)
    Add({.id = "c" + std::to_string(i), .image = "app:" + std::to_string(i)});
  fake_.Edit([](FakeNode& node) { node.streams = true; });
  EXPECT_EQ(Read().containers, 5u);
  EXPECT_EQ(fake_.Count("ListContainers"), 0u);

  fake_.Set("StreamContainers",
            {.code = grpc::StatusCode::INTERNAL, .message = "half", .halfway = true});
  EXPECT_THAT(ReadError().what, HasSubstr("StreamContainers: INTERNAL: half"));
}

TEST_F(UseTest, ListsContainersWhenTheStreamIsEmpty) {
  fake_.Edit([](FakeNode& node) { node.streams = true; });
  EXPECT_EQ(Read().containers, 0u);
  EXPECT_EQ(fake_.Count("ListContainers"), 1u);
  fake_.Set("ListContainers", {.code = grpc::StatusCode::UNKNOWN, .message = "broken"});
  EXPECT_THAT(ReadError().what, HasSubstr("ListContainers"));
}

TEST_F(UseTest, WithoutAStreamContainersAreListed) {
  Add({.id = "c1", .image = "app:1"});
  Read();
  const auto lists = fake_.Count("ListContainers");
  EXPECT_EQ(lists, 2u) << "once more after the questions about the new one";
  EXPECT_EQ(Read().containers, 1u);
  EXPECT_EQ(fake_.Count("StreamContainers"), 1u);
  EXPECT_EQ(fake_.Count("ListContainers"), lists + 1) << "nothing had to be asked";
}

// The status of a new container takes time, and another container may appear meanwhile.
TEST_F(UseTest, AContainerThatComesWhileAnotherIsAskedAboutIsSeen) {
  Add({.id = "c1", .image = "app:1"});
  fake_.Before("ContainerStatus", [this](const auto&) {
    fake_.Edit([](FakeNode& node) {
      if (node.containers.size() == 1)
        node.containers.push_back({.id = "c2", .name = "late", .image = "late:1"});
    });
  });
  const RuntimeUse use = Read();
  EXPECT_EQ(use.containers, 2u);
  EXPECT_THAT(Texts(use), UnorderedElementsAre("app:1", "late:1"));
}

TEST_F(UseTest, ContainersThatNeverStopComingAreAnError) {
  Add({.id = "c0", .image = "app:1"});
  fake_.Before("ContainerStatus", [this](const auto&) {
    fake_.Edit([](FakeNode& node) {
      node.containers.push_back(
          {.id = "c" + std::to_string(node.containers.size()), .name = "more", .image = "more:1"});
    });
  });
  EXPECT_EQ(ReadError().kind, ErrorKind::kIncomplete);
}

TEST_F(UseTest, FindsThePauseImageInEverySource) {
  struct Row {
    std::string why, config, info;
    std::vector<std::string> images;
  };
  const Row rows[] = {
      {"containerd 1.x",
       R"({"containerd":{"snapshotter":"overlayfs"},"sandboxImage":"pause:3.6"})",
       "",
       {"pause:3.6"}},
      {"CRI-O", R"({"sandboxImage":"pause:3.9","crio":{"runtimes":{}}})", "", {"pause:3.9"}},
      {"nested",
       R"({"crio":{"image":{"sandboxImage":"quay.io/pause:1"}}})",
       "",
       {"quay.io/pause:1"}},
      {"sandbox info",
       "",
       R"({"pid":7,"image":"registry.k8s.io/pause:3.10"})",
       {"registry.k8s.io/pause:3.10"}},
      {"both",
       R"({"sandboxImage":"pause:3.6"})",
       R"({"image":"pause:3.8"})",
       {"pause:3.6", "pause:3.8"}},
      {"the same twice",
       R"({"sandboxImage":"pause:3.6"})",
       R"({"image":"pause:3.6"})",
       {"pause:3.6"}},
      {"containerd 2.x", R"({"containerd":{}})", R"({"pid":7})", {}},
      {"not a text", R"({"sandboxImage":5})", R"({"image":{"image":"x"}})", {}},
      {"empty", R"({"sandboxImage":""})", R"({"image":""})", {}},
      {"cri-dockerd says nothing", "", "", {}},
  };
  for (const auto& row : rows) {
    fake_.Edit([&](FakeNode& node) {
      node.config = row.config;
      node.sandboxes = {{.id = "s-" + row.why, .pod = kPod, .info = row.info}};
    });
    const RuntimeUse use = Read();
    EXPECT_EQ(use.sandbox_images, row.images) << row.why;
    EXPECT_THAT(use.warnings, IsEmpty()) << row.why;
  }
}

TEST_F(UseTest, WarnsOfInvalidInfoAndReadsTheRest) {
  const std::string deep(100'000, '[');
  for (const std::string& broken :
       {std::string("{\"sandboxImage\":"), std::string("\xff\xfe"), deep}) {
    fake_.Edit([&](FakeNode& node) {
      node.config = broken;
      node.sandboxes = {{.id = "s1", .pod = kPod, .info = broken}};
      node.containers = {{.id = "c1", .image = "app:1"}};
      if (broken == "\xff\xfe") node.config = node.sandboxes[0].info = "not json";
    });
    for (int look = 0; look < 2; ++look) {  // not remembered as "none"
      const RuntimeUse use = Read();
      EXPECT_THAT(use.sandbox_images, IsEmpty());
      EXPECT_THAT(use.warnings, ElementsAre(HasSubstr("Status"), HasSubstr("s1")));
      EXPECT_THAT(Texts(use), ElementsAre("app:1"));
    }
  }
}

TEST_F(UseTest, ASandboxIsAskedForItsImageOnceWhileItIsListed) {
  fake_.Edit([](FakeNode& node) {
    node.sandboxes = {{.id = "s1", .pod = kPod, .info = R"({"image":"pause:1"})"}};
  });
  Read();
  EXPECT_THAT(Read().sandbox_images, ElementsAre("pause:1"));
  EXPECT_THAT(fake_.Arguments("PodSandboxStatus"), ElementsAre("s1"));
  fake_.Edit([](FakeNode& node) { node.sandboxes.clear(); });
  EXPECT_THAT(Read().sandbox_images, IsEmpty());
}

TEST_F(UseTest, IgnoresASandboxDeletedDuringTheRead) {
  fake_.Edit([](FakeNode& node) { node.sandboxes = {{.id = "s1", .pod = kPod}}; });
  fake_.Set("PodSandboxStatus", {.code = grpc::StatusCode::NOT_FOUND, .message = "gone"});
  EXPECT_EQ(Read().ready_sandboxes.size(), 1u);
}

TEST_F(UseTest, SandboxesOfAKubeletAreToldByWhetherTheyAreReady) {
  fake_.Edit([](FakeNode& node) {
    node.sandboxes = {{.id = "s1", .pod = kPod},
                      {.id = "s2", .pod = {"shop", "old", "uid-2"}, .ready = false},
                      {.id = "s3", .pod = {"", "by-hand", ""}}};
  });
  const RuntimeUse use = Read();
  ASSERT_EQ(use.ready_sandboxes.size(), 1u);
  EXPECT_EQ(use.ready_sandboxes[0].uid, "uid-1");
  EXPECT_EQ(use.ready_sandboxes[0].name, "api-7d9");
  EXPECT_EQ(use.ready_sandboxes[0].pod_namespace, "shop");
  ASSERT_EQ(use.stopped_sandboxes.size(), 1u);
  EXPECT_EQ(use.stopped_sandboxes[0].uid, "uid-2");
}

TEST_F(UseTest, PodsWithContainersAreNamedOnceEach) {
  Add({.id = "c1", .name = "web", .pod = kPod, .image = "app:1"});
  Add({.id = "c2", .name = "log", .pod = kPod, .image = "log:1"});
  Add({.id = "c3", .name = "by-hand", .image = "tool:1"});
  const RuntimeUse use = Read();
  ASSERT_EQ(use.container_pods.size(), 1u);
  EXPECT_EQ(use.container_pods[0].uid, "uid-1");
  EXPECT_EQ(use.containers, 3u);
  EXPECT_EQ(use.references.back().by.container, "by-hand");
}

}  // namespace
}  // namespace imagesweep::cri
