#include "agent/daemon/engine_containerd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_docker.h"
#include "tests/support/images.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

docker::EngineInfo InfoOf(const std::string& address) {
  docker::EngineInfo info;
  info.driver = "overlayfs";
  info.containerd_store = true;
  info.containerd_address = address;
  info.containerd_namespace = "moby";
  return info;
}

TEST(ContainerdSocketsTest, TakesTheReportedPathOnTheHost) {
  EXPECT_THAT(ContainerdSockets("/run/containerd/containerd.sock", "/run/docker.sock"),
              ElementsAre("/run/containerd/containerd.sock"));
  EXPECT_THAT(ContainerdSockets("/run/containerd/containerd.sock", "/srv/engine.sock"),
              ElementsAre("/run/containerd/containerd.sock"));
}

TEST(ContainerdSocketsTest, FollowsTheLinkFromVarRunToRun) {
  EXPECT_THAT(
      ContainerdSockets("/var/run/docker/containerd/containerd.sock", "/var/run/docker.sock"),
      ElementsAre("/var/run/docker/containerd/containerd.sock",
                  "/run/docker/containerd/containerd.sock"));
}

TEST(ContainerdSocketsTest, LooksWhereTheSocketOfTheEngineIsMounted) {
  EXPECT_THAT(
      ContainerdSockets("/var/run/docker/containerd/containerd.sock", "/host/run/docker.sock"),
      ElementsAre("/host/var/run/docker/containerd/containerd.sock",
                  "/host/run/docker/containerd/containerd.sock",
                  "/var/run/docker/containerd/containerd.sock",
                  "/run/docker/containerd/containerd.sock"));
}

TEST(FindEngineContainerdTest, FindsASocketOnWhichAServerListens) {
  const FakeDocker server;
  const auto found = FindEngineContainerd(InfoOf(server.socket_path()), "/run/docker.sock");
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(*found, (EngineContainerd{server.socket_path(), "moby", "overlayfs"}));
}

TEST(FindEngineContainerdTest, SaysWhyThereIsNoSocket) {
  const auto gone = FindEngineContainerd(InfoOf("/nowhere/containerd.sock"), "/run/docker.sock");
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().what, HasSubstr("/nowhere/containerd.sock does not exist"));
  EXPECT_THAT(gone.error().what, HasSubstr("not mounted"));
}

// Docker before 27 does not report it, and a guess may be the containerd of another daemon.
TEST(FindEngineContainerdTest, DoesNotGuess) {
  const auto unknown = FindEngineContainerd(InfoOf(""), "/run/docker.sock");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(unknown.error().what, HasSubstr("does not report"));
}

TEST(FindEngineContainerdTest, DockersOwnStoreHasNone) {
  auto info = InfoOf("/run/containerd/containerd.sock");
  info.containerd_store = false;
  const auto found = FindEngineContainerd(info, "/run/docker.sock");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kNotFound);
}

class CheckIsOfEngineTest : public testing::Test {
 protected:
  CheckIsOfEngineTest() : metadata_("moby", SystemTime()) {
    metadata_.AddImage("moby", "docker.io/library/app:v1", Id("app"));
    metadata_.AddImage("moby", "docker.io/library/app@" + Id("app"), Id("app"));
    metadata_.AddImage("moby", "moby-dangling@" + Id("old"), Id("old"));
    metadata_.AddImage("moby", "moby-dangling@" + Id("step"), Id("step"));
    metadata_.AddImage("k8s.io", "docker.io/library/pod:v1", Id("pod"));
  }
  std::string Difference(std::span<const Image> before, std::span<const Image> after) {
    const auto same = CheckIsOfEngine(metadata_, before, after);
    return same ? std::string() : same.error().what;
  }

  layers::MetadataSnapshot metadata_;
  std::vector<Image> images_{Img("app", {"app:v1"}), Img("old", {})};
};

TEST_F(CheckIsOfEngineTest, AcceptsTheContainerdWithTheSameImages) {
  EXPECT_EQ(Difference(images_, images_), "");
}

TEST_F(CheckIsOfEngineTest, RejectsOneWithoutAnImage) {
  images_.push_back(Img("more", {"more:v1"}));
  EXPECT_THAT(Difference(images_, images_), HasSubstr(Id("more") + " is not in containerd"));
}

TEST_F(CheckIsOfEngineTest, RejectsOneWithAnotherImageOfTheName) {
  images_[1].tags.push_back(ImageName::Parse("app:v1"));
  images_[0].tags.clear();
  EXPECT_THAT(Difference(images_, images_), HasSubstr("app:v1 is another image"));
}

TEST_F(CheckIsOfEngineTest, RejectsOneWithMoreImages) {
  metadata_.AddImage("moby", "docker.io/library/foreign:v1", Id("foreign"));
  EXPECT_THAT(Difference(images_, images_), HasSubstr("foreign:v1 is an image in containerd only"));
}

TEST_F(CheckIsOfEngineTest, RejectsAnEmptyNamespace) {
  const layers::MetadataSnapshot empty("moby", SystemTime());
  EXPECT_FALSE(CheckIsOfEngine(empty, images_, images_));
}

TEST_F(CheckIsOfEngineTest, ChangesDuringTheReadProveNothing) {
  auto before = images_, after = images_;
  before.push_back(Img("removed", {"removed:v1"}));
  before[0].tags.push_back(ImageName::Parse("app:untagged"));
  metadata_.AddImage("moby", "docker.io/library/pulled:v1", Id("pulled"));
  after.push_back(Img("pulled", {"pulled:v1"}));
  EXPECT_EQ(Difference(before, after), "");
  EXPECT_NE(Difference(before, before), "");
}

}  // namespace
}  // namespace imagesweep
