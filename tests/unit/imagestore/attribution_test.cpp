#include "agent/imagestore/graph/attribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/imagestore/sample_layers.h"

// Which records of containerd belong to which image of the CRI.

namespace imagesweep::layers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(AttributionTest, FreesBothManifestsOfOneId) {
  LabNode node;
  const auto app = node.Pull("app", {kApp});
  ASSERT_EQ(node.Pull("app", {kApp}, "zstd"), app);  // the same config, compressed again
  const LayerGraph graph = node.Graph();
  EXPECT_EQ(graph.Records(app).size(), 5U) << "two tags, two digests, one id";
  EXPECT_EQ(graph.Manifests(app).size(), 2U);
  EXPECT_EQ(graph.FreedBy(std::vector{app}).space.bytes,
            3 * kBlock + Size(kApp) + Blocks(kApp.blob_bytes));
}

TEST(AttributionTest, AttributesAnIndexToTheImageOfItsManifest) {
  LabNode node;
  const auto app = node.Pull("app", {kApp});
  for (auto& record : node.spec.images) record.target = Id("index");
  node.AddBlob("k8s.io", Id("index"), 500,
               {{"containerd.io/gc.ref.content.m.0", Id("manapp")},
                {"containerd.io/gc.ref.content.m.1", Id("other-platform")}});
  const LayerGraph graph = node.Graph();
  EXPECT_EQ(graph.Records(app).size(), 3U);
  EXPECT_EQ(graph.FreedBy(std::vector{app}).space.bytes, kPapers + kBlock + Size(kApp));
}

TEST(AttributionTest, AnIndexOfTwoListedImagesGoesWithTheLastOfThem) {
  LabNode node;
  const auto amd = node.Pull("amd", {kApp});
  const auto arm = node.Pull("arm", {kOther});
  node.AddBlob("k8s.io", Id("index"), 500,
               {{"containerd.io/gc.ref.content.m.0", Id("manamd")},
                {"containerd.io/gc.ref.content.m.1", Id("manarm")}});
  node.AddImage("k8s.io", "docker.io/library/both:1", Id("index"));
  const LayerGraph graph = node.Graph();
  const Freed one = graph.FreedBy(std::vector{amd});
  EXPECT_EQ(one.space.bytes, 0U);
  EXPECT_EQ(one.certainty, Certainty::kAtLeast);
  EXPECT_THAT(one.why, HasSubstr("several images"));
  EXPECT_EQ(graph.FreedBy(std::vector{amd, arm}).space.bytes,
            2 * kPapers + kBlock + Size(kApp) + Size(kOther));
}

// containerd issue 7698: RemoveImage returns OK and does nothing.
TEST(AttributionTest, RecordsThatRemoveImageDoesNotReachAreMarked) {
  LabNode node;
  const auto app = node.Pull("app", {kApp});
  const std::string imported = "import-2026-11-20@" + Id("manapp");
  node.AddImage("k8s.io", imported, Id("manapp"));
  std::vector<std::string> unreachable;
  const LayerGraph graph = node.Graph();
  for (const NativeRecord& record : graph.Records(app))
    if (record.survives_remove_image) unreachable.push_back(record.name);
  EXPECT_THAT(unreachable, ElementsAre(imported));

  for (const std::string& name :
       {std::string("docker.io/library/nginx:1.25"), std::string("registry:5000/a/b:c"),
        "docker.io/library/nginx:1.25@" + Id("x"), Id("x"), "localhost/idx@" + Id("x"),
        std::string("docker.io/library/nginx"), std::string("Not A Reference")})
    EXPECT_FALSE(SurvivesRemoveImage(name)) << name;
  for (const std::string& name : {std::string("nginx:1.25"), std::string("team/app:1"),
                                  "import-1@" + Id("x"), std::string("docker.io/nginx:1")})
    EXPECT_TRUE(SurvivesRemoveImage(name)) << name;
}

// As distribution/reference normalizes a name, without the default tag.
TEST(AttributionTest, TheCriKnowsARecordByItsNormalisedName) {
  const std::pair<std::string, std::string> names[] = {
      {"myalpine", "docker.io/library/myalpine"},
      {"myalpine:3", "docker.io/library/myalpine:3"},
      {"team/app", "docker.io/team/app"},
      {"docker.io/alpine", "docker.io/library/alpine"},
      {"index.docker.io/alpine:3", "docker.io/library/alpine:3"},
      {"localhost/app", "localhost/app"},
      {"host:5000/app", "host:5000/app"},
      {"app:v1@" + Id("x"), "docker.io/library/app:v1@" + Id("x")},
      {"import-2026-11-20@" + Id("x"), "docker.io/library/import-2026-11-20@" + Id("x")},
      {Id("x"), Id("x")},
      {"Not A Reference", "Not A Reference"},
      {"ghcr.io/Team/App:1", "ghcr.io/Team/App:1"},
  };
  for (const auto& [record, known] : names) EXPECT_EQ(NameInCri(record), known) << record;
}

// Without labels, the name of the CRI's own record still shows the image, and facts show it by the
// manifest.
TEST(AttributionTest, RecordsAreFoundWithoutLabelsByIdAndByFacts) {
  const std::string config = Id("cfg"), manifest = Id("man");
  Image image;
  image.id = ImageId(config.substr(7));  // as CRI-O writes it
  MetadataSnapshot metadata("k8s.io", {}, {}, {FileSystem::kExt4, 4096});
  metadata.AddImage("k8s.io", config, Id("unlabelled"));
  metadata.AddImage("k8s.io", "docker.io/library/app:1", manifest);
  metadata.AddBlob("k8s.io", manifest, 100);
  const std::string_view manifests[] = {manifest};
  metadata.AddFacts(config, manifests, {}, {});
  const LayerGraph graph(std::move(metadata), std::span(&image, 1));
  EXPECT_EQ(graph.Records(ImagePos(0)).size(), 2U);
  EXPECT_EQ(graph.FreedBy(ImagesAt(0)).space.bytes, kBlock);
}

TEST(AttributionTest, FreesNothingWithoutRecords) {
  const Image image = Img("a", {"a:1"});
  const LayerGraph graph(MetadataSnapshot("k8s.io", {}, {}, {FileSystem::kExt4, 4096}),
                         std::span(&image, 1));
  const Freed freed = graph.FreedBy(ImagesAt(0));
  EXPECT_EQ(freed.space, Reclaim{});
  EXPECT_EQ(freed.certainty, Certainty::kAtLeast);
  EXPECT_THAT(freed.why, HasSubstr("no record"));
}

}  // namespace
}  // namespace imagesweep::layers
