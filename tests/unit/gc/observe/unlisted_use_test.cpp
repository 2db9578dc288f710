#include "agent/gc/observe/unlisted_use.h"

#include <gmock/gmock.h>

#include "tests/unit/imagestore/spec.h"

namespace imagesweep {
namespace {

using layers::LabNode;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const LabNode::Layer kBase{"base", 1000, {4096, 3}}, kApp{"app", 1000, {4096, 3}},
    kOther{"other", 1000, {4096, 3}};

// A node with images that have their own layers, and one with the layers of app.
struct UnlistedUseTest : testing::Test {
  UnlistedUseTest() {
    lab.Pull("app", {kBase, kApp});
    lab.Pull("base", {kBase});
    lab.Pull("other", {kOther});
  }
  std::vector<std::string> Needed() {
    AddUnlistedUse(lab.Graph(), lab.images, use);
    std::vector<std::string> texts;
    for (const ImageReference& reference : use.references) texts.push_back(reference.text);
    return texts;
  }
  LabNode lab;
  RuntimeUse use;
};

TEST_F(UnlistedUseTest, SkipsContainersThatTheCriLists) {
  lab.Run("k1", {kBase, kApp});
  use.ids = {"k1"};
  EXPECT_THAT(Needed(), IsEmpty());
}

// The name now refers to another image. The layers that the container runs on do not change.
TEST_F(UnlistedUseTest, NeedsTheNamedImageAndTheImageOfItsLayers) {
  lab.Run("by-hand", {kBase, kApp});
  lab.spec.containers.back().image = "docker.io/library/other:v1";
  EXPECT_THAT(Needed(), ElementsAre("docker.io/library/other:v1", Id("cfgapp")));
  EXPECT_EQ(use.references.back().by.container, "by-hand");
}

TEST_F(UnlistedUseTest, NeedsAllImagesOfItsLayersWithoutAName) {
  lab.Pull("twin", {kBase, kApp});
  lab.Run("by-hand", {kBase, kApp});
  EXPECT_THAT(Needed(), UnorderedElementsAre(Id("cfgapp"), Id("cfgtwin"))) << "base is beneath";
}

// As in a user namespace: containerd remaps the layers into a separate snapshot.
TEST_F(UnlistedUseTest, NeedsTheImageOfARemappedSnapshot) {
  const std::string top = LabNode::Chain({kBase, kApp}, 2);
  lab.AddSnapshot("k8s.io", top + "-100000-65536", top, {4096, 3});
  lab.Run("by-hand", {kBase, kApp});
  lab.spec.snapshots.back().parent = top + "-100000-65536";
  EXPECT_THAT(Needed(), ElementsAre(Id("cfgapp"))) << "and not what that is built on";
}

TEST_F(UnlistedUseTest, NeedsOnlyTheNamedImageWithoutASnapshot) {
  lab.spec.containers.push_back({"k8s.io", "rootfs", "docker.io/library/app:v1", "", "", {}});
  lab.spec.containers.push_back({"default", "elsewhere", "docker.io/library/base:v1", "", "", {}});
  EXPECT_THAT(Needed(), ElementsAre("docker.io/library/app:v1"));
}

// `ctr images mount`, or a CSI driver for images.
TEST_F(UnlistedUseTest, NeedsTheImageOfAMountedSnapshotWithoutAContainer) {
  lab.AddSnapshot("k8s.io", "mount", LabNode::Chain({kBase, kApp}, 2), {4096, 3});
  lab.spec.snapshots.back().kind = layers::SnapshotKind::kView;
  EXPECT_THAT(Needed(), ElementsAre(Id("cfgapp"))) << "base is beneath";
  EXPECT_EQ(use.references.back().by.kind, ImageUserKind::kMount);
  EXPECT_EQ(use.references.back().by.container, "mount");
}

TEST_F(UnlistedUseTest, NeedsNothingForTheSnapshotsOfOtherNamespacesAndForOtherLayers) {
  lab.AddSnapshot("buildkit", "build", LabNode::Chain({kBase, kApp}, 2), {4096, 3});
  lab.spec.snapshots.back().kind = layers::SnapshotKind::kActive;
  lab.AddSnapshot("k8s.io", "empty", "", {4096, 3});
  lab.spec.snapshots.back().kind = layers::SnapshotKind::kActive;
  EXPECT_THAT(Needed(), IsEmpty());
}

// The kubelet pulled one platform of an index, and an administrator another one for a mount.
TEST_F(UnlistedUseTest, NeedsTheImageOfAMountOfAnotherPlatform) {
  const std::string config = Id("cfgarm"), manifest = Id("manarm"), layer = Id("layerarm");
  lab.AddBlob("k8s.io", config, LabNode::kSmall,
              {{"containerd.io/gc.ref.snapshot.overlayfs", layer}});
  lab.AddBlob("k8s.io", manifest, LabNode::kSmall,
              {{"containerd.io/gc.ref.content.config", config}});
  lab.AddBlob("k8s.io", Id("index"), LabNode::kSmall,
              {{"containerd.io/gc.ref.content.m.0", Id("manapp")},
               {"containerd.io/gc.ref.content.m.1", manifest}});
  lab.AddImage("k8s.io", "docker.io/library/multi:v1", Id("index"));
  lab.AddSnapshot("k8s.io", layer, LabNode::Chain({kOther}, 1), {4096, 3});
  lab.AddSnapshot("k8s.io", "mount", layer, {4096, 3});
  lab.spec.snapshots.back().kind = layers::SnapshotKind::kView;
  EXPECT_THAT(Needed(), UnorderedElementsAre(Id("cfgapp"), Id("cfgother"))) << "and its base";
}

TEST_F(UnlistedUseTest, NoticesAStoreThatListsNoneOfTheContainers) {
  lab.Run("c1", {kBase});
  use.ids = {"c1", "c2"};
  EXPECT_FALSE(MissesAllContainers(lab.Graph(), use));
  lab.spec.records_of = layers::RecordsOf::kOtherStore;
  EXPECT_FALSE(MissesAllContainers(lab.Graph(), use)) << "c2 may be newer";
  use.ids = {"c2"};
  EXPECT_TRUE(MissesAllContainers(lab.Graph(), use));
  use.ids.clear();
  EXPECT_FALSE(MissesAllContainers(lab.Graph(), use));
}

// As when content could be read only in part. A run aborts if a part is missing, see
// LayerGraph::WhyMountsAreUnknown.
TEST_F(UnlistedUseTest, ListsAMountWhoseImageIsUnknown) {
  lab.AddSnapshot("k8s.io", "mount", "gone", {4096, 3});
  lab.spec.snapshots.back().kind = layers::SnapshotKind::kView;
  EXPECT_THAT(Needed(), IsEmpty());
  ASSERT_EQ(lab.Graph().MountsWithoutContainer().size(), 1U);
  EXPECT_EQ(lab.Graph().WhyMountsAreUnknown(), "") << "everything was read";
}

}  // namespace
}  // namespace imagesweep
