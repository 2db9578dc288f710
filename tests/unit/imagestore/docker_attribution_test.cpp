#include "agent/imagestore/graph/docker_attribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/imagestore/sample_layers.h"

// Which records of containerd belong to which image of Docker, and what a removal by Docker frees.

namespace imagesweep::layers {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Docker's images in containerd: an ID is the digest of a manifest or an index.
class DockerNode : public LabNode {
 public:
  DockerNode() {
    spec.cri = "moby";
    spec.records_of = RecordsOf::kDocker;
  }
  ImagePos Load(const std::string& name, const std::vector<Layer>& layers) {
    const ImagePos at = Pull(name, layers, "", spec.cri);
    images[at].id = ImageId(Id("man" + name));
    return at;
  }
  // All records of the image are built on the image with the digest `parent`.
  void BuildOn(const std::string& name, const std::string& parent) {
    for (auto& record : spec.images)
      if (record.target == Id("man" + name)) record.labels["org.mobyproject.image.parent"] = parent;
  }
  // A step of the classic builder, which Docker does not list.
  void AddStep(const std::string& name, const std::vector<Layer>& layers) {
    Load(name, layers);
    images.pop_back();
    std::erase_if(spec.images,
                  [&](const auto& record) { return record.target == Id("man" + name); });
    AddImage(spec.cri, "moby-dangling@" + Id("man" + name), Id("man" + name));
  }
};

TEST(DockerAttributionTest, AnImageIsTheTargetOfItsRecords) {
  DockerNode node;
  const auto app = node.Load("app", {kBase, kApp}), other = node.Load("other", {kBase, kOther});
  const LayerGraph graph = node.Graph();
  const Freed alone = graph.FreedBy(std::vector{app});
  EXPECT_EQ(alone.space.bytes, kPapers + Size(kApp));
  EXPECT_EQ(alone.certainty, Certainty::kExact) << alone.why;
  EXPECT_EQ(graph.FreedBy(std::vector{app, other}).space.bytes,
            2 * kPapers + Size(kBase) + Size(kApp) + Size(kOther));
  EXPECT_THAT(graph.Records(app), IsEmpty()) << "only Docker removes its records";
}

TEST(DockerAttributionTest, AnIndexHasTheLayersOfAllItsPlatforms) {
  DockerNode node;
  const auto both = node.Load("amd", {kApp});
  node.Load("arm", {kOther});
  node.images.pop_back();
  node.images[both].id = ImageId(Id("index"));
  node.AddBlob("moby", Id("index"), 500,
               {{"containerd.io/gc.ref.content.m.0", Id("manamd")},
                {"containerd.io/gc.ref.content.m.1", Id("manarm")},
                {"containerd.io/gc.ref.content.m.2", Id("absent")}});
  for (auto& record : node.spec.images) record.target = Id("index");
  const LayerGraph graph = node.Graph();
  EXPECT_EQ(graph.FreedBy(std::vector{both}).space.bytes,
            kBlock + 2 * kPapers + Size(kApp) + Size(kOther));
  EXPECT_THAT(graph.attribution().tops[both], SizeIs(2));
  EXPECT_NE(graph.attribution().configs[both], kNoNode);
}

// The removal of an image by its own digest leaves the index of the same manifest.
TEST(DockerAttributionTest, AnIndexOfAListedManifestIsAnotherImage) {
  DockerNode node;
  const auto app = node.Load("app", {kApp});
  node.AddBlob("moby", Id("index"), 500, {{"containerd.io/gc.ref.content.m.0", Id("manapp")}});
  node.AddImage("moby", "docker.io/library/both:v1", Id("index"));
  const Freed freed = node.Graph().FreedBy(std::vector{app});
  EXPECT_EQ(freed.space.bytes, 0U);
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
}

TEST(DockerAttributionTest, StepsOfABuildGoWithTheImage) {
  DockerNode node;
  node.AddStep("first", {kBase});
  node.AddStep("second", {kBase, kRun});
  const auto app = node.Load("app", {kBase, kRun, kApp});
  node.BuildOn("app", Id("mansecond"));
  node.BuildOn("second", Id("manfirst"));
  const Freed freed = node.Graph().FreedBy(std::vector{app});
  EXPECT_EQ(freed.space.bytes, 3 * kPapers + Size(kBase) + Size(kRun) + Size(kApp));
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
}

TEST(DockerAttributionTest, AStepOfTwoImagesGoesWithTheLast) {
  DockerNode node;
  node.AddStep("step", {kBase});
  const auto app = node.Load("app", {kBase, kApp}), other = node.Load("other", {kBase, kOther});
  node.BuildOn("app", Id("manstep"));
  node.BuildOn("other", Id("manstep"));
  const LayerGraph graph = node.Graph();
  const Freed one = graph.FreedBy(std::vector{app});
  EXPECT_EQ(one.space.bytes, kPapers + Size(kApp));
  EXPECT_EQ(one.certainty, Certainty::kAtLeast) << "Docker frees the documents of the step";
  EXPECT_EQ(graph.FreedBy(std::vector{app, other}).space.bytes,
            3 * kPapers + Size(kBase) + Size(kApp) + Size(kOther));
}

// Docker then keeps it without a tag.
TEST(DockerAttributionTest, AnImageThatOthersAreBuiltOnFreesAtMostItsDocuments) {
  DockerNode node;
  const auto base = node.Load("base", {kBase}), app = node.Load("app", {kBase, kApp});
  node.BuildOn("app", Id("manbase"));
  const LayerGraph graph = node.Graph();
  const Freed freed = graph.FreedBy(std::vector{base});
  EXPECT_EQ(freed.space.bytes, kPapers);
  EXPECT_EQ(freed.certainty, Certainty::kAtMost);
  EXPECT_THAT(freed.why, HasSubstr("built on"));
  EXPECT_EQ(graph.FreedBy(std::vector{app}).certainty, Certainty::kExact);
}

TEST(DockerAttributionTest, ParentsInACycleEnd) {
  DockerNode node;
  node.AddStep("step", {kBase});
  const auto app = node.Load("app", {kBase});
  node.BuildOn("app", Id("manstep"));
  node.BuildOn("step", Id("manstep"));
  EXPECT_EQ(node.Graph().FreedBy(std::vector{app}).space.bytes, 2 * kPapers + Size(kBase));
}

TEST(DockerAttributionTest, AContainerRunsOnTheImageBelowItsInitLayer) {
  DockerNode node;
  const auto app = node.Load("app", {kApp}), idle = node.Load("idle", {kOther});
  const std::string top = LabNode::Chain({kApp}, 1);
  node.AddSnapshot("moby", "c1-init", top, {100, 1});
  node.spec.snapshots.push_back(
      {"moby", "overlayfs", "c1", "c1-init", SnapshotKind::kActive, std::nullopt, {}});
  node.spec.leases.push_back({"moby", "c1", {}, {{"snapshots/overlayfs", "c1"}}});
  const LayerGraph graph = node.Graph();
  EXPECT_EQ(graph.Use(app), SnapshotUse::kDirect);
  EXPECT_EQ(graph.Use(idle), SnapshotUse::kNone);
  EXPECT_EQ(graph.FreedBy(std::vector{app}).space.bytes, kPapers + Blocks(kApp.blob_bytes))
      << "the lease of the container holds the snapshot";
  EXPECT_THAT(graph.MountsWithoutContainer(), IsEmpty()) << "Docker lists the container";
}

}  // namespace
}  // namespace imagesweep::layers
