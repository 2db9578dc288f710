#include "agent/gc/observe/layer_figures.h"

#include <gmock/gmock.h>

#include "tests/support/report.h"
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
struct UnknownContainersTest : testing::Test {
  UnknownContainersTest() {
    lab.Pull("app", {kBase, kApp});
    lab.Pull("base", {kBase});
    lab.Pull("other", {kOther});
  }
  std::vector<std::string> Needed() {
    AddUnknownContainers(lab.Graph(), lab.images, use);
    std::vector<std::string> texts;
    for (const ImageReference& reference : use.references) texts.push_back(reference.text);
    return texts;
  }
  LabNode lab;
  RuntimeUse use;
};

TEST_F(UnknownContainersTest, SkipsContainersThatTheCriLists) {
  lab.Run("k1", {kBase, kApp});
  use.ids = {"k1"};
  EXPECT_THAT(Needed(), IsEmpty());
}

// The name now refers to another image. The layers that the container runs on do not change.
TEST_F(UnknownContainersTest, NeedsTheNamedImageAndTheImageOfItsLayers) {
  lab.Run("by-hand", {kBase, kApp});
  lab.spec.containers.back().image = "docker.io/library/other:v1";
  EXPECT_THAT(Needed(), ElementsAre("docker.io/library/other:v1", Id("cfgapp")));
  EXPECT_EQ(use.references.back().by.container, "by-hand");
}

TEST_F(UnknownContainersTest, NeedsAllImagesOfItsLayersWithoutAName) {
  lab.Pull("twin", {kBase, kApp});
  lab.Run("by-hand", {kBase, kApp});
  EXPECT_THAT(Needed(), UnorderedElementsAre(Id("cfgapp"), Id("cfgtwin"))) << "base is beneath";
}

// As in a user namespace: containerd remaps the layers into a separate snapshot.
TEST_F(UnknownContainersTest, NeedsTheImageOfARemappedSnapshot) {
  const std::string top = LabNode::Chain({kBase, kApp}, 2);
  lab.AddSnapshot("k8s.io", top + "-100000-65536", top, {4096, 3});
  lab.Run("by-hand", {kBase, kApp});
  lab.spec.snapshots.back().parent = top + "-100000-65536";
  EXPECT_THAT(Needed(), ElementsAre(Id("cfgapp"))) << "and not what that is built on";
}

TEST_F(UnknownContainersTest, NeedsOnlyTheNamedImageWithoutASnapshot) {
  lab.spec.containers.push_back({"k8s.io", "rootfs", "docker.io/library/app:v1", "", "", {}});
  lab.spec.containers.push_back({"default", "elsewhere", "docker.io/library/base:v1", "", "", {}});
  EXPECT_THAT(Needed(), ElementsAre("docker.io/library/app:v1"));
}

// A dry run over SampleReport that would remove app:1 of 2000 bytes.
Report DryRun() {
  Report report = SampleReport();
  report.dry_run = true;
  report.outcomes = {{ImagePos(1), OutcomeKind::kWouldRemove, {}},
                     {ImagePos(2), OutcomeKind::kSkipped, "in use"}};
  report.layers.emplace();
  report.layers->removed = {3000, 40, "exact", ""};
  return report;
}

TEST(PredictAfter, SubtractsTheImagesThatWouldBeRemoved) {
  const NodeTotals left = PredictAfter(DryRun());
  EXPECT_EQ(left.images, 2U);
  EXPECT_EQ(left.bytes, 5000U);
  EXPECT_EQ(left.reclaimable_bytes, 4000U);
  ASSERT_TRUE(left.disk);
  EXPECT_EQ(left.disk->available_bytes, 4000U);
  EXPECT_EQ(left.disk->inodes_free, 540U);
}

TEST(PredictAfter, PredictsNoMoreFreeSpaceThanTheCapacity) {
  Report report = DryRun();
  report.layers->removed = {50'000, 5'000, "at most", "Leases.List: broken"};
  const NodeTotals left = PredictAfter(report);
  EXPECT_EQ(left.disk->available_bytes, left.disk->capacity_bytes);
  EXPECT_EQ(left.disk->inodes_free, left.disk->inodes);
}

TEST(PredictAfter, PredictsNoDiskUsageWithoutLayers) {
  Report report = DryRun();
  report.layers.reset();
  EXPECT_EQ(PredictAfter(report).images, 2U);
  EXPECT_FALSE(PredictAfter(report).disk);
}

}  // namespace
}  // namespace imagesweep
