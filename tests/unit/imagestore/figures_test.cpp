#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/imagestore/analysis/breakdown.h"
#include "agent/imagestore/analysis/sharing.h"
#include "tests/unit/imagestore/spec.h"

// Figures measured with statvfs on ext4 under a real containerd, rebuilt from the content of the
// removed sets. Also how figures are qualified and assigned to accounts.

namespace imagesweep::layers {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kBlock = 4096;

// Layers of the measured images, as far as the measurements separate their sizes.
const LabNode::Layer kB{"B", 17'477'000, {60'000'000, 400}};
const LabNode::Layer kR1{"R1", 40'000'000, {90'000'000, 900}};
const LabNode::Layer kR2{"R2", 19'000'000, {21'000'000, 300}};
const LabNode::Layer kA1{"A1", 15'486'000, {4'542'464, 7}};
const LabNode::Layer kA2{"A2", 15'007'744, {34'000'000, 800}};
const LabNode::Layer kA3{"A3", 15'000'000, {21'016'576, 539}};

struct Measured {
  std::uint64_t blobs, snapshots, bytes, inodes;
};

void ExpectFreed(const LabNode& node, const std::vector<ImagePos>& set, const Measured& measured,
                 const char* why) {
  const Freed freed = node.Graph().FreedBy(set);
  EXPECT_EQ(freed.space.blobs, measured.blobs) << why;
  EXPECT_EQ(freed.space.snapshots, measured.snapshots) << why;
  EXPECT_EQ(freed.space.bytes, measured.bytes) << why;
  EXPECT_EQ(freed.space.inodes, measured.inodes) << why;
  EXPECT_TRUE(freed.exact()) << why << ": " << freed.why;
}

TEST(MeasuredFigures, AreMetToTheByte) {
  LabNode node;
  const auto app1 = node.Pull("app1", {kB, kR1, kA1});
  const auto app1b = node.Pull("app1b", {kB, kR1, kA1});  // the same layers, another config
  const auto base = node.Pull("base", {kB});
  ExpectFreed(node, {app1b}, {2, 0, 8192, 2}, "the same layers as app1");
  ExpectFreed(node, {base}, {2, 0, 8192, 2}, "under the others");
  std::erase_if(node.spec.images, [](const auto& its) { return its.target == Id("manapp1b"); });
  node.Pull("app2", {kB, kR1, kA2});
  // app1 has a second manifest with the same config, whose layers were never downloaded.
  node.AddBlob("k8s.io", Id("manapp1d"), LabNode::kSmall,
               {{"containerd.io/gc.ref.content.config", Id("cfgapp1")},
                {"containerd.io/gc.ref.content.l.2", Id("never downloaded")}});
  node.AddImage("k8s.io", "docker.io/library/app1:d", Id("manapp1d"));
  ExpectFreed(node, {app1}, {4, 1, 20'049'920, 13}, "app1 with two manifests");
}

TEST(MeasuredFigures, ARunningImageAndOneSharedWithDocker) {
  LabNode node;
  node.Pull("app1", {kB, kR1, kA1});
  const auto app2 = node.Pull("app2", {kB, kR1, kA2});
  node.Run("k1", {kB, kR1, kA2});
  ExpectFreed(node, {app2}, {3, 0, 15'015'936, 3}, "app2 runs");

  const auto app3 = node.Pull("app3", {kB, kR2, kA3});
  node.Pull("app4", {kB, kR2, kA1});
  node.Pull("app3", {kB, kR2, kA3}, "", "moby");
  ExpectFreed(node, {app3}, {0, 1, 21'024'768, 541}, "app3's blobs are moby's as well");
}

TEST(MeasuredFigures, ARepeatedLayerUnderAFlatLeaseAndUnderAWholeOne) {
  LabNode node;
  const LabNode::Layer repeated{"X", 130'000, {700'000, 100}};
  const LabNode::Layer middle{"Y", 0, {20'755'264, 617}};
  node.Pull("base", {kB});
  const auto rep = node.Pull("rep", {kB, repeated, middle, repeated});
  for (auto& blob : node.spec.blobs)  // the repeated blob also belongs to another image
    if (blob.digest == Id("lX")) blob.labels["containerd.io/gc.root"] = "t";
  node.spec.leases = {
      {"k8s.io", "l", {{"containerd.io/gc.flat", "1"}}, {{"content", Id("manrep")}}}};
  ExpectFreed(node, {rep}, {1, 3, 22'183'936, 824}, "flat: the manifest alone");
  node.spec.leases.front().labels.clear();
  ExpectFreed(node, {rep}, {0, 0, 0, 0}, "a whole lease of the manifest");
}

TEST(Certainty, ShowsInWhichDirectionAFigureMayBeWrong) {
  const Unread leases{Unread::What::kHolders, "k8s.io", "leases: deadline exceeded"};
  const Unread ours{Unread::What::kObjects, "k8s.io", "content: unavailable"};
  const Unread theirs{Unread::What::kObjects, "moby", "content: unavailable"};
  struct Case {
    const char* why;
    Unread unread;
    Certainty certainty;
  };
  for (const Case& its : {Case{"unseen holders", leases, Certainty::kAtMost},
                          {"unseen objects of ours", ours, Certainty::kRoughly},
                          {"unseen objects of others", theirs, Certainty::kAtMost}}) {
    LabNode node;
    node.Pull("app", {kB});
    MetadataSnapshot metadata = node.spec.Build();
    metadata.CouldNotRead(its.unread);
    const Freed freed = LayerGraph(std::move(metadata), node.images).FreedBy(ImagesAt(0));
    EXPECT_EQ(freed.certainty, its.certainty) << its.why;
    EXPECT_THAT(freed.why, HasSubstr(its.unread.why)) << its.why;
    EXPECT_GT(freed.space.bytes, kB.usage.bytes) << "a bound all the same";
  }
}

TEST(Certainty, DependsOnTheRemovedImages) {
  LabNode node;
  const auto known = node.Pull("known", {kB});
  const auto unread = node.Pull("unread", {kB, kR1});
  for (auto& its : node.spec.snapshots)
    if (its.key == LabNode::Chain({kB, kR1}, 2)) its.usage.reset();
  EXPECT_TRUE(node.Graph().FreedBy(std::vector{known}).exact());
  const Freed freed = node.Graph().FreedBy(std::vector{unread});
  EXPECT_EQ(freed.certainty, Certainty::kAtLeast);
  EXPECT_EQ(freed.space.unsized, 1U);
  EXPECT_EQ(ToString(freed.certainty), "at least");

  for (auto& its : node.spec.snapshots) its.snapshotter = "native";
  for (auto& its : node.spec.blobs)
    if (its.labels.contains("containerd.io/gc.ref.snapshot.overlayfs"))
      its.labels["containerd.io/gc.ref.snapshot.native"] =
          its.labels["containerd.io/gc.ref.snapshot.overlayfs"];
  EXPECT_EQ(node.Graph().FreedBy(std::vector{unread}).certainty, Certainty::kRoughly);
  EXPECT_TRUE(node.Graph().FreedBy(std::vector{known}).exact()) << "its snapshot stays";
}

TEST(Certainty, CountsConditionalAndExpiringRecordsAsHolders) {
  LabNode node;
  const auto app = node.Pull("app", {kB});
  node.AddBlob("k8s.io", Id("cond"), 1,
               {{"containerd.io/gc.root", "t"},
                {"containerd.io/gc.cond.snapshot.overlayfs", "usedat<1h|" + Id("cB")}});
  const Freed freed = node.Graph().FreedBy(std::vector{app});
  EXPECT_EQ(freed.space.snapshots, 0U);
  EXPECT_EQ(freed.certainty, Certainty::kAtLeast);

  node.spec.blobs.pop_back();
  node.spec.images.front().labels["containerd.io/gc.expire"] = "2001-09-09T01:46:40Z";
  EXPECT_EQ(node.Graph().FreedBy(std::vector{app}).certainty, Certainty::kAtLeast);
  node.spec.rules = RulesOf("1.7.24");
  EXPECT_TRUE(node.Graph().FreedBy(std::vector{app}).exact());
}

// Measured on xfs: directories cost nothing, every inode about half a kilobyte. On btrfs, only data
// counts.
TEST(Certainty, OtherFileSystemsAccountDifferently) {
  LabNode node;
  const auto app = node.Pull("app", {kB});
  const std::uint64_t blocks = 2 * kBlock + (kB.blob_bytes + 4095) / 4096 * 4096 + kB.usage.bytes;
  struct Case {
    FileSystem kind;
    std::uint64_t bytes;
    Certainty certainty;
  };
  for (const Case& its :
       {Case{FileSystem::kExt4, blocks + 8192, Certainty::kExact},
        {FileSystem::kXfs, blocks + std::uint64_t{512} * (3 + 400 + 2), Certainty::kRoughly},
        {FileSystem::kBtrfs, blocks, Certainty::kRoughly},
        {FileSystem::kOther, blocks, Certainty::kRoughly}}) {
    node.spec.disk.kind = its.kind;
    const Freed freed = node.Graph().FreedBy(std::vector{app});
    EXPECT_EQ(freed.space.bytes, its.bytes);
    EXPECT_EQ(freed.certainty, its.certainty);
  }
}

TEST(Certainty, CountsDirectoriesInTheBlocksOfTheDisk) {
  LabNode node;
  const auto app = node.Pull("app", {kB});
  const Reclaim large = node.Graph().FreedBy(std::vector{app}).space;
  node.spec.disk.block_bytes = 1024;
  const Freed freed = node.Graph().FreedBy(std::vector{app});
  const std::uint64_t block = node.spec.disk.block_bytes;
  const std::uint64_t blobs = 2 * block + (kB.blob_bytes + block - 1) / block * block;
  EXPECT_EQ(freed.space.bytes, blobs + kB.usage.bytes + 2 * block);
  EXPECT_TRUE(freed.exact());
  EXPECT_EQ(freed.space.inodes, large.inodes);
}

TEST(BreakdownTest, CountsEachObjectInTheFirstAccountThatHoldsIt) {
  LabNode node;
  const LabNode::Layer base{"B", 4096, {1000, 1}};
  const auto layer = [](const char* name, std::uint64_t usage) {
    return LabNode::Layer{name, 4096, {usage, 1}};
  };
  node.Pull("runs", {base, layer("U", 10)});
  const auto pinned = node.Pull("pinned", {base, layer("P", 20)});
  node.images[pinned].pinned = true;
  node.Pull("idle", {base, layer("I", 30)});
  const auto dangling = node.Pull("dangling", {base, layer("D", 40)});
  node.images[dangling].tags.clear();
  const auto needed = node.Pull("needed", {base, layer("N", 50)});
  node.Run("k1", {base, layer("U", 10)});
  node.spec.snapshots.back().usage = Usage{7, 1};
  const auto lone = [&](const char* space, const char* key, std::uint64_t usage) {
    node.AddSnapshot(space, key, "", {usage, 1});
  };
  lone("k8s.io", "leased", 60);
  lone("k8s.io", "cache", 70);
  lone("buildkit", "build", 80);
  lone("moby", "theirs", 90);
  lone("k8s.io", "rooted", 100);
  lone("k8s.io", "leaked", 110);
  const Spec::Tags flat{{"containerd.io/gc.flat", "1"}};
  node.spec.leases = {{"k8s.io", "l", {}, {{"snapshots/overlayfs", "leased"}}},
                      {"k8s.io", "c", flat, {{"snapshots/overlayfs", "cache"}}},
                      {"buildkit", "b", {}, {{"snapshots/overlayfs", "build"}}}};
  for (auto& its : node.spec.snapshots)
    if (its.key == "theirs" || its.key == "rooted") its.labels["containerd.io/gc.root"] = "t";
  // The blobs of the running image are also docker's. A file belongs to one account only.
  node.Pull("runs", {base, layer("U", 10)}, "", "moby");

  const LayerGraph graph = node.Graph();
  ByImage<bool> known(node.images.size(), false);
  known[needed] = true;
  const Breakdown result = BreakDown(graph, node.images, known);
  struct Case {
    UsageCategory category;
    std::uint64_t usage, snapshots, blobs;
  };
  const Case cases[] = {{UsageCategory::kWritable, 7, 1, 0},
                        {UsageCategory::kInUse, 1000 + 10 + 50, 3, 7},
                        {UsageCategory::kPinned, 20, 1, 3},
                        {UsageCategory::kIdle, 30, 1, 3},
                        {UsageCategory::kDangling, 40, 1, 3},
                        {UsageCategory::kLeased, 60, 1, 0},
                        {UsageCategory::kBuildCache, 70 + 80, 2, 0},
                        {UsageCategory::kOtherNamespaces, 90 + 1000 + 10, 3, 0},
                        {UsageCategory::kOther, 100, 1, 0},
                        {UsageCategory::kDead, 110, 1, 0}};
  for (const auto& [category, usage, snapshots, blobs] : cases) {
    const Reclaim& its = result.Of(category);
    EXPECT_EQ(its.snapshots, snapshots) << ToString(category);
    EXPECT_EQ(its.blobs, blobs) << ToString(category);
    EXPECT_EQ(its.bytes, usage + snapshots * 8192 + blobs * kBlock) << ToString(category);
  }
  EXPECT_EQ(result.Of(UsageCategory::kDead), graph.Dead());
}

TEST(SharingTest, UniqueAndSharedPartsAndTheRatio) {
  LabNode node;
  const LabNode::Layer base{"B", 4096, {100'000, 1}}, one{"X", 4096, {10'000, 1}};
  const auto app = node.Pull("app", {base, one});
  const auto other = node.Pull("other", {base});
  const Sharing sharing = MeasureSharing(node.Graph());
  const std::uint64_t papers = 2 * kBlock, in_base = 4096 + 100'000 + 8192;
  const std::uint64_t in_one = 4096 + 10'000 + 8192;
  EXPECT_EQ(sharing.images[app].total.bytes, papers + in_base + in_one);
  EXPECT_EQ(sharing.images[app].unique.bytes, papers + in_one);
  EXPECT_EQ(sharing.images[app].shared_bytes(), in_base);
  EXPECT_EQ(sharing.images[other].unique.bytes, papers);
  EXPECT_EQ(sharing.on_disk, 2 * papers + in_base + in_one);
  EXPECT_EQ(sharing.apparent, 2 * papers + 2 * in_base + in_one);
  EXPECT_DOUBLE_EQ(sharing.reuse(),
                   static_cast<double>(sharing.apparent) / static_cast<double>(sharing.on_disk));
  EXPECT_DOUBLE_EQ(MeasureSharing(LabNode().Graph()).reuse(), 1.0);
}

}  // namespace
}  // namespace imagesweep::layers
