#include "agent/imagestore/graph/graph.h"

#include <gtest/gtest.h>

#include <functional>

#include "agent/imagestore/graph/incremental_reclaim.h"
#include "tests/unit/imagestore/sample_layers.h"

// The rules of containerd's garbage collection, one by one, on images as containerd pulls them.

namespace imagesweep::layers {
namespace {

TEST(LayerGraphTest, FreesMetadataAndUniqueLayersOfAnImage) {
  LabNode node;
  const auto app = node.Pull("app", {kBase, kRun, kApp});
  const auto other = node.Pull("other", {kBase, kOther});
  const LayerGraph graph = node.Graph();

  const Freed freed = graph.FreedBy(std::vector{app});
  EXPECT_EQ(freed.space.bytes, kPapers + Size(kRun) + Size(kApp));
  EXPECT_EQ(freed.space.blobs, 4U);
  EXPECT_EQ(freed.space.snapshots, 2U);
  EXPECT_EQ(freed.space.inodes, 4U + 7 + 9 + 2 * 2);
  EXPECT_TRUE(freed.exact()) << freed.why;
  EXPECT_EQ(BytesFreed(node, {other}), kPapers + Size(kOther));
  // Together they also free the part that they share.
  EXPECT_EQ(BytesFreed(node, {app, other}),
            2 * kPapers + Size(kBase) + Size(kRun) + Size(kApp) + Size(kOther));
  EXPECT_EQ(BytesFreed(node, {app, app}), kPapers + Size(kRun) + Size(kApp)) << "once";
  EXPECT_EQ(graph.FreedBy({}).space, Reclaim{});
  EXPECT_EQ(graph.Dead(), Reclaim{});
}

TEST(LayerGraphTest, FreesOnlyMetadataOfABaseThatOthersUse) {
  LabNode node;
  const auto base = node.Pull("base", {kBase});
  node.Pull("app", {kBase, kApp});
  EXPECT_EQ(BytesFreed(node, {base}), kPapers);
}

TEST(LayerGraphTest, ABlobAtTwoPlacesOfTheChainIsOneFile) {
  LabNode node;
  const auto repeated = node.Pull("rep", {kBase, kApp, kBase});
  EXPECT_EQ(BytesFreed(node, {repeated}),
            kPapers + Size(kBase) + Size(kApp) + Size(kBase) - Blocks(kBase.blob_bytes));
}

TEST(LayerGraphTest, LayersThatWereThrownAwayAfterUnpackingAreNotCounted) {
  LabNode node;
  node.with_layer_blobs = false;
  const auto app = node.Pull("app", {kBase, kApp});
  const Freed freed = node.Graph().FreedBy(std::vector{app});
  EXPECT_EQ(freed.space.bytes, kPapers + kBase.usage.bytes + kApp.usage.bytes + 2 * kDirs);
  EXPECT_TRUE(freed.exact()) << "labels that dangle are no doubt";
}

TEST(LayerGraphTest, ARunningContainerHoldsItsSnapshotsAndNotTheBlobs) {
  LabNode node;
  const auto app = node.Pull("app", {kBase, kApp});
  const auto base = node.Pull("base", {kBase});
  const auto idle = node.Pull("idle", {kOther});
  node.Run("k1", {kBase, kApp});
  const LayerGraph graph = node.Graph();
  EXPECT_EQ(graph.FreedBy(std::vector{app, base}).space.bytes,
            2 * kPapers + Blocks(kBase.blob_bytes) + Blocks(kApp.blob_bytes));
  EXPECT_EQ(graph.FreedBy(std::vector{app}).space.snapshots, 0U);
  EXPECT_EQ(graph.Use(app), SnapshotUse::kDirect);
  EXPECT_EQ(graph.Use(base), SnapshotUse::kBeneath);
  EXPECT_EQ(graph.Use(idle), SnapshotUse::kNone);
}

// An image volume is not a container: a mounted snapshot under a lease with the name of the
// sandbox.
TEST(LayerGraphTest, AnImageVolumeHoldsItsSnapshots) {
  LabNode node;
  const auto model = node.Pull("model", {kApp});
  const std::string key = "/run/containerd/io.containerd.grpc.v1.cri/image-volumes/sandbox/digest";
  node.spec.snapshots.push_back({"k8s.io",
                                 "overlayfs",
                                 key,
                                 LabNode::Chain({kApp}, 1),
                                 SnapshotKind::kView,
                                 std::nullopt,
                                 {}});
  node.spec.leases.push_back({"k8s.io", "sandbox", {}, {{"snapshots/overlayfs", key}}});
  const LayerGraph graph = node.Graph();
  EXPECT_EQ(graph.Use(model), SnapshotUse::kDirect);
  EXPECT_EQ(graph.FreedBy(std::vector{model}).space.bytes, kPapers + Blocks(kApp.blob_bytes));
}

struct LeaseCase {
  std::string_view why;
  Spec::Tags labels;
  std::pair<std::string, std::string> resource;
  std::uint64_t held = 0;  // of everything that the image would free
};

TEST(LayerGraphTest, HoldsObjectsThatALeaseNames) {
  const std::string manifest = Id("manapp"), top = LabNode::Chain({kBase, kApp}, 2);
  const std::uint64_t all = kPapers + Size(kBase) + Size(kApp);
  const std::uint64_t snapshots = kBase.usage.bytes + kApp.usage.bytes + 2 * kDirs;
  const Spec::Tags flat{{"containerd.io/gc.flat", "1"}};
  const LeaseCase cases[] = {
      {"a manifest with all that it refers to", {}, {"content", manifest}, all},
      {"flat: the manifest alone", flat, {"content", manifest}, kBlock},
      {"a snapshot with its parents", {}, {"snapshots/overlayfs", top}, snapshots},
      {"flat: parents all the same", flat, {"snapshots/overlayfs", top}, snapshots},
      {"of another snapshotter", {}, {"snapshots/native", top}, 0},
      {"what is not there", {}, {"content", Id("nothing")}, 0},
      {"an ingest", {}, {"ingests", "ref"}, 0},
      {"expired", {{"containerd.io/gc.expire", "2001-09-09T01:46:40Z"}}, {"content", manifest}, 0},
      {"yet to expire",
       {{"containerd.io/gc.expire", "2100-01-01T00:00:00+01:00"}},
       {"content", manifest},
       all},
      {"an unreadable expiry is none",
       {{"containerd.io/gc.expire", "x"}},
       {"content", manifest},
       all},
      // The record is deleted, and a name alone holds nothing.
      {"an image record", {}, {"images", "docker.io/library/app:v1"}, 0},
  };
  for (const auto& its : cases) {
    LabNode node;
    const auto app = node.Pull("app", {kBase, kApp});
    node.spec.leases.push_back({"k8s.io", "lease", its.labels, {its.resource}});
    EXPECT_EQ(BytesFreed(node, {app}), all - its.held) << its.why;
    node.spec.leases.back().space = "moby";
    EXPECT_EQ(BytesFreed(node, {app}), all) << its.why << ", in another namespace";
  }
}

TEST(LayerGraphTest, LabelsOnAnythingHold) {
  const std::string config = Id("cfgapp"), top = LabNode::Chain({kBase, kApp}, 2);
  const std::uint64_t unpacked =
      kBlock + kBase.usage.bytes + kApp.usage.bytes + 2 * kDirs;  // config and snapshots
  struct Case {
    std::string_view why;
    std::function<void(LabNode&)> change;
    std::uint64_t held = 0;
  };
  const Spec::Tags to_config{{"containerd.io/gc.ref.content.x", config}};
  const Case cases[] = {
      {"gc.root on a blob",
       [&](LabNode& node) {
         for (auto& blob : node.spec.blobs)
           if (blob.digest == config) blob.labels["containerd.io/gc.root"] = "t";
       },
       unpacked},
      {"gc.root on a snapshot",
       [&](LabNode& node) {
         for (auto& its : node.spec.snapshots)
           if (its.key == top) its.labels["containerd.io/gc.root"] = "t";
       },
       unpacked - kBlock},
      {"a container's label",
       [&](LabNode& node) {
         node.spec.containers.push_back({"k8s.io", "k", "", "", "", to_config});
       },
       unpacked},
      {"a sandbox's label",
       [&](LabNode& node) {
         node.spec.sandboxes = {{"k8s.io", to_config}};
       },
       unpacked},
      {"a download of it",
       [&](LabNode& node) {
         node.spec.ingests = {{"k8s.io", config}};
       },
       unpacked},
      {"a record that is no image of the CRI",
       [&](LabNode& node) {
         node.AddBlob("k8s.io", Id("artifact"), 10, to_config);
         node.spec.images.push_back({"k8s.io", "chart:1", Id("elsewhere"), to_config});
       },
       unpacked},
      {"a snapshot's label",
       [&](LabNode& node) {
         node.spec.snapshots.push_back(
             {"k8s.io", "overlayfs", "k", "", SnapshotKind::kActive, std::nullopt, to_config});
         node.spec.containers.push_back({"k8s.io", "k", "", "overlayfs", "k", {}});
       },
       unpacked},
      {"what hangs on a container",
       [&](LabNode& node) {
         node.spec.containers.push_back({"k8s.io", "k", "", "", "", {}});
         for (auto& blob : node.spec.blobs)
           if (blob.digest == config) blob.labels["containerd.io/gc.bref.container"] = "k";
       },
       unpacked},
      {"what hangs on a container that is gone",
       [&](LabNode& node) {
         for (auto& blob : node.spec.blobs)
           if (blob.digest == config) blob.labels["containerd.io/gc.bref.container"] = "k";
       },
       0},
  };
  for (const auto& its : cases) {
    LabNode node;
    const auto app = node.Pull("app", {kBase, kApp});
    its.change(node);
    EXPECT_EQ(BytesFreed(node, {app}), kPapers + Size(kBase) + Size(kApp) - its.held) << its.why;
  }
}

// A signature belongs to the image that it signs, and is removed with it.
TEST(LayerGraphTest, FreesAReferrerWithItsSubject) {
  LabNode node;
  const auto app = node.Pull("app", {kApp});
  node.AddBlob("k8s.io", Id("signature"), 100,
               {{"containerd.io/gc.bref.content.subject", Id("manapp")}});
  const LayerGraph graph = node.Graph();
  EXPECT_EQ(graph.Dead(), Reclaim{});
  EXPECT_EQ(graph.FreedBy(std::vector{app}).space.bytes, kPapers + kBlock + Size(kApp));

  node.spec.rules = RulesOf("1.7.24");
  const LayerGraph old = node.Graph();
  EXPECT_EQ(old.Dead().bytes, kBlock) << "an older collector does not know this";
  EXPECT_EQ(old.FreedBy(std::vector{app}).space.bytes, kPapers + Size(kApp));
}

TEST(LayerGraphTest, FreesABlobWithItsLastNamespaceAndASnapshotWithItsOwn) {
  LabNode node;
  const auto app = node.Pull("app", {kApp});
  node.Pull("app", {kApp}, "", "moby");
  EXPECT_EQ(BytesFreed(node, {app}), kApp.usage.bytes + kDirs);
  // A record that the collection of the other namespace deletes anyway holds no file.
  std::erase_if(node.spec.images, [](const auto& its) { return its.space == "moby"; });
  const LayerGraph graph = node.Graph();
  EXPECT_EQ(graph.FreedBy(std::vector{app}).space.bytes, kPapers + Size(kApp));
  EXPECT_EQ(graph.Dead().bytes, kApp.usage.bytes + kDirs) << "the other namespace's snapshot";
}

TEST(LayerGraphTest, CountsUnreferencedObjectsForNoImage) {
  LabNode node;
  const auto app = node.Pull("app", {kApp});
  node.AddBlob("k8s.io", Id("left"), 5000, {{"containerd.io/gc.ref.content", Id("lA")}});
  node.AddSnapshot("k8s.io", "leaked", "", {1234, 3});
  const LayerGraph graph = node.Graph();
  EXPECT_EQ(graph.Dead().bytes, 2 * kBlock + 1234 + kDirs);
  EXPECT_EQ(graph.Dead().inodes, 1U + 3 + 2);
  EXPECT_EQ(graph.FreedBy(std::vector{app}).space.bytes, kPapers + Size(kApp));
}

TEST(LayerGraphTest, LabelsInCirclesAndMissingParentsNeitherHangNorHold) {
  LabNode node;
  const auto app = node.Pull("app", {kApp});
  const auto other = node.Pull("other", {kOther});
  for (auto& blob : node.spec.blobs)  // the config leads back to the manifest, and to itself
    if (blob.digest == Id("cfgapp")) {
      blob.labels["containerd.io/gc.ref.content.0"] = Id("manapp");
      blob.labels["containerd.io/gc.ref.content.1"] = Id("cfgapp");
    }
  for (auto& snapshot : node.spec.snapshots) {
    if (snapshot.key == LabNode::Chain({kApp}, 1)) snapshot.parent = snapshot.key;
    if (snapshot.key == LabNode::Chain({kOther}, 1)) snapshot.parent = Id("not there");
  }
  node.Run("k1", {kApp});
  const LayerGraph graph = node.Graph();
  EXPECT_EQ(graph.FreedBy(std::vector{app}).space.bytes, kPapers + Blocks(kApp.blob_bytes));
  EXPECT_EQ(graph.FreedBy(std::vector{other}).space.bytes, kPapers + Size(kOther));
}

// A long circle through all blobs, which two images hold. It is freed with the second image.
TEST(LayerGraphTest, FreesACycleWithTheLastImageThatReferencesIt) {
  LabNode node;
  const auto app = node.Pull("app", {kApp});
  const auto other = node.Pull("other", {kOther});
  constexpr int kLong = 2000;
  for (int i = 0; i < kLong; ++i)
    node.spec.blobs.push_back(
        {"k8s.io",
         Id("r" + std::to_string(i)),
         1,
         {{"containerd.io/gc.ref.content.next", Id("r" + std::to_string((i + 1) % kLong))}}});
  for (auto& blob : node.spec.blobs)
    if (blob.digest == Id("manapp") || blob.digest == Id("manother"))
      blob.labels["containerd.io/gc.ref.content.ring"] = Id("r7");
  const LayerGraph graph = node.Graph();
  IncrementalReclaim order(graph);
  EXPECT_EQ(order.Add(app).bytes, kPapers + Size(kApp));
  EXPECT_EQ(order.Add(other).bytes, kPapers + Size(kOther) + kLong * kBlock);
}

TEST(LayerGraphTest, IgnoresAnExpiredRecordOfAnotherNamespace) {
  LabNode node;
  const auto app = node.Pull("app", {kApp});
  node.spec.images.push_back(
      {"moby", "old:1", Id("manapp"), {{"containerd.io/gc.expire", "2001-09-09T01:46:40Z"}}});
  node.AddBlob("moby", Id("manapp"), LabNode::kSmall, {});
  EXPECT_EQ(BytesFreed(node, {app}), kPapers + Size(kApp));
  node.spec.rules = RulesOf("1.7.24");
  EXPECT_EQ(BytesFreed(node, {app}), kPapers + Size(kApp) - kBlock) << "1.x knows no such expiry";
}

}  // namespace
}  // namespace imagesweep::layers
