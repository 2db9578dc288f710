#include "agent/runtime/containerd/metadata_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "tests/support/images.h"
#include "tests/unit/runtime/containerd/fake_containerd.h"

namespace imagesweep::containerd {
namespace {

using layers::Certainty;
using layers::Unread;
using testing::HasSubstr;
using testing::IsEmpty;

std::string DigestOf(char digit) {
  return "sha256:" + std::string(64, digit);
}
const std::string kConfig = DigestOf('c'), kManifest = DigestOf('a'), kLayer = DigestOf('1'),
                  kChain = DigestOf('e');

class MetadataReaderTest : public testing::Test {
 protected:
  MetadataReaderTest() {
    auto& space = fake_.namespaces["k8s.io"];
    space.images["registry.example/app:v1"] = kManifest;
    space.blobs[kManifest] = {"{}",
                              {{"containerd.io/gc.ref.content.config", kConfig},
                               {"containerd.io/gc.ref.content.l.0", kLayer}}};
    space.blobs[kConfig] = {R"({"rootfs": {"diff_ids": ["sha256:d1"]},
                               "history": [{"created_by": "COPY app /"},
                                           {"created_by": "CMD", "empty_layer": true}]})",
                            {{"containerd.io/gc.ref.snapshot.overlayfs", kChain}}};
    space.blobs[kLayer] = {std::string(5000, 'x'), {}};
    space.snapshots[kChain].bytes = 40960;
    images_.resize(1);
    images_[0].id = ImageId(kConfig);
    options_.disk = [](const std::string&) {
      return layers::Disk{layers::FileSystem::kExt4, 4096};
    };
  }

  MetadataReader& metadata_reader() {
    if (!metadata_reader_)
      metadata_reader_ = std::make_unique<MetadataReader>(fake_.Channel(), clock_, options_);
    return *metadata_reader_;
  }
  layers::MetadataSnapshot ReadSnapshot() {
    auto metadata = metadata_reader().ReadSnapshot(images_, never_);
    if (!metadata) throw std::runtime_error(metadata.error().what);
    return *std::move(metadata);
  }
  layers::Freed Freed() {
    const auto graph = metadata_reader().Read(images_, never_);
    if (!graph) throw std::runtime_error(graph.error().what);
    return (*graph)->FreedBy(ImagesAt(0));
  }

  FakeContainerd fake_;
  RealClock clock_;
  MetadataReaderOptions options_;
  std::vector<Image> images_;
  std::stop_token never_;
  std::unique_ptr<MetadataReader> metadata_reader_;
};

TEST_F(MetadataReaderTest, ComputesTheBytesThatAnImageFrees) {
  const auto freed = Freed();
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
  // Manifest, config, and layer in blocks, and a snapshot with its two directories.
  EXPECT_EQ(freed.space.bytes, 4096U + 4096U + 8192U + 40960U + 8192U);
  EXPECT_EQ(freed.space.blobs, 3U);
}

TEST_F(MetadataReaderTest, ReadsTheHistoryOfAnImage) {
  options_.configs = true;
  const auto metadata = ReadSnapshot();
  ASSERT_EQ(metadata.facts().size(), 1U);
  const auto& facts = metadata.facts()[0];
  EXPECT_EQ(facts.diff_ids.size(), 1U);
  ASSERT_EQ(facts.history.size(), 2U);
  EXPECT_EQ(metadata.keys().Text(facts.history[0].created_by), "COPY app /");
  EXPECT_TRUE(facts.history[1].empty_layer);
}

TEST_F(MetadataReaderTest, OtherNamespacesHoldTheirBlobs) {
  auto& other = fake_.namespaces["moby"];
  other.blobs[kLayer] = fake_.namespaces["k8s.io"].blobs[kLayer];
  other.leases["keeper"] = {kLayer};
  const auto freed = Freed();
  EXPECT_EQ(freed.space.blobs, 2U);
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
}

TEST_F(MetadataReaderTest, ARuntimeWithoutTheseServicesIsNotContainerd) {
  FakeContainerd without(false);
  MetadataReader one(without.Channel(), clock_, options_);
  const auto metadata = one.ReadSnapshot(images_, never_);
  ASSERT_FALSE(metadata);
  EXPECT_EQ(metadata.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(metadata.error().what, HasSubstr("not containerd"));
}

// A part that fails is reported, and then no figure is exact.
TEST_F(MetadataReaderTest, ReportsUnreadPartsAndGivesNoExactFigure) {
  options_.configs = true;
  struct Row {
    const char* method;
    grpc::StatusCode code;
    Unread::What what;
    bool mounts = false;  // unseen ones are possible
  };
  constexpr auto kHolders = Unread::What::kHolders;
  constexpr auto kObjects = Unread::What::kObjects;
  const Row rows[] = {
      {"Images.List", grpc::StatusCode::UNAVAILABLE, kHolders},
      {"Content.List", grpc::StatusCode::UNAVAILABLE, kObjects},  // truncated
      {"Content.List", grpc::StatusCode::UNIMPLEMENTED, kObjects},
      {"Snapshots.List", grpc::StatusCode::INTERNAL, kObjects, true},
      {"Snapshots.Usage", grpc::StatusCode::INTERNAL, kObjects},
      {"Containers.ListStream", grpc::StatusCode::UNIMPLEMENTED, kHolders},
      {"Leases.List", grpc::StatusCode::UNIMPLEMENTED, kHolders},
      {"Leases.ListResources", grpc::StatusCode::DEADLINE_EXCEEDED, kHolders},
      {"Content.ListStatuses", grpc::StatusCode::UNKNOWN, kHolders},
      {"Content.Read", grpc::StatusCode::INTERNAL, kObjects},
      {"Plugins", grpc::StatusCode::UNIMPLEMENTED, kObjects, true},
  };
  fake_.namespaces["k8s.io"].leases["keeper"] = {};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.method);
    fake_.faults = {{row.method, grpc::Status(row.code, "broken")}};
    metadata_reader_.reset();
    const auto metadata = ReadSnapshot();
    ASSERT_EQ(metadata.unread().size(), row.mounts ? 2U : 1U);
    EXPECT_EQ(metadata.unread()[0].what, row.what);
    EXPECT_EQ(metadata.UnreadOfCri(Unread::What::kMounts) != nullptr, row.mounts);
    EXPECT_THAT(metadata.unread()[0].why, HasSubstr("broken"));
    EXPECT_FALSE(Freed().exact());
  }
}

TEST_F(MetadataReaderTest, KeepsEntriesOfAStreamThatBreaksOff) {
  fake_.faults = {{"Content.List", grpc::Status(grpc::StatusCode::UNAVAILABLE, "restart")}};
  EXPECT_EQ(ReadSnapshot().blobs().size(), 1U);
}

TEST_F(MetadataReaderTest, FailsWithoutVersionOrNamespaces) {
  for (const char* method : {"Version", "Namespaces.List"}) {
    fake_.faults = {{method, grpc::Status(grpc::StatusCode::UNAVAILABLE, "starting")}};
    const auto metadata = metadata_reader().ReadSnapshot(images_, never_);
    ASSERT_FALSE(metadata) << method;
    EXPECT_EQ(metadata.error().kind, ErrorKind::kUnavailable);
  }
}

// Any entry may disappear between the list and the request for it.
TEST_F(MetadataReaderTest, IgnoresEntriesDeletedDuringTheRead) {
  options_.configs = true;
  const grpc::Status gone(grpc::StatusCode::NOT_FOUND, "not found");
  fake_.namespaces["k8s.io"].leases["keeper"] = {kLayer};
  fake_.faults = {
      {"Snapshots.Usage", gone}, {"Content.Read", gone}, {"Leases.ListResources", gone}};
  const auto metadata = ReadSnapshot();
  EXPECT_THAT(metadata.unread(), IsEmpty());
  EXPECT_THAT(metadata.snapshots(), IsEmpty());
  EXPECT_THAT(metadata.holders(), IsEmpty());
  EXPECT_THAT(metadata.facts(), IsEmpty());
}

TEST_F(MetadataReaderTest, UsageAndConfigAreReadOnce) {
  options_.configs = true;
  ReadSnapshot();
  ReadSnapshot();
  EXPECT_EQ(fake_.asked["Snapshots.Usage"], 1);
  EXPECT_EQ(fake_.asked["Content.Read"], 1);
  // Another snapshot under the same key.
  auto& snapshot = fake_.namespaces["k8s.io"].snapshots[kChain];
  snapshot.created = 2;
  snapshot.bytes = 8192;
  const auto metadata = ReadSnapshot();
  EXPECT_EQ(fake_.asked["Snapshots.Usage"], 2);
  EXPECT_EQ(metadata.snapshots()[0].bytes, 8192U);
}

TEST_F(MetadataReaderTest, SkipsTheUsageOfActiveSnapshots) {
  fake_.namespaces["k8s.io"].snapshots["container"] = {kChain, 1, 77, {}, api::snapshots::ACTIVE};
  ReadSnapshot();
  EXPECT_EQ(fake_.asked["Snapshots.Usage"], 1);
}

TEST_F(MetadataReaderTest, ComputesFreedBytesWithoutConfigs) {
  const auto freed = Freed();
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
  EXPECT_EQ(fake_.asked["Content.Read"], 0);
  EXPECT_THAT(ReadSnapshot().facts(), IsEmpty());
  options_.configs = true;
  metadata_reader_.reset();
  EXPECT_EQ(Freed().space.bytes, freed.space.bytes);
  EXPECT_EQ(fake_.asked["Content.Read"], 1);
}

// Docker's ID of an image is the digest of the target of its records.
TEST_F(MetadataReaderTest, ReadsTheImagesOfDocker) {
  fake_.namespaces["moby"] = std::exchange(fake_.namespaces["k8s.io"], {});
  options_.cri_namespace = "moby";
  options_.records_of = layers::RecordsOf::kDocker;
  options_.snapshotter = "overlayfs";
  options_.configs = true;
  images_[0].id = ImageId(kManifest);
  const auto freed = Freed();
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
  EXPECT_EQ(freed.space.bytes, 4096U + 4096U + 8192U + 40960U + 8192U);
  const auto metadata = ReadSnapshot();
  ASSERT_EQ(metadata.facts().size(), 1U);
  EXPECT_EQ(metadata.keys().Text(metadata.facts()[0].id), kConfig);
  EXPECT_EQ(metadata.facts()[0].history.size(), 2U);
}

TEST_F(MetadataReaderTest, ASnapshotterThatIsNotLoadedIsNotFound) {
  options_.snapshotter = "stargz";
  const auto metadata = metadata_reader().ReadSnapshot(images_, never_);
  ASSERT_FALSE(metadata);
  EXPECT_EQ(metadata.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(metadata.error().what, HasSubstr("no snapshotter \"stargz\""));
}

TEST_F(MetadataReaderTest, AManifestWithoutLabelsIsRead) {
  auto& blob = fake_.namespaces["k8s.io"].blobs[kManifest];
  blob = {R"({"config": {"digest": ")" + kConfig + R"("}})", {}};
  const auto metadata = ReadSnapshot();
  ASSERT_EQ(metadata.facts().size(), 1U);
  ASSERT_EQ(metadata.facts()[0].manifests.size(), 1U);
  EXPECT_EQ(metadata.keys().Text(metadata.facts()[0].manifests[0]), kManifest);
  EXPECT_EQ(fake_.asked["Content.Read"], 1);  // not the config
}

TEST_F(MetadataReaderTest, AConfigThatIsNoJsonHasNoHistory) {
  options_.configs = true;
  fake_.namespaces["k8s.io"].blobs[kConfig].data = "<html>";
  const auto metadata = ReadSnapshot();
  EXPECT_THAT(metadata.unread(), IsEmpty());
  ASSERT_EQ(metadata.facts().size(), 1U);
  EXPECT_THAT(metadata.facts()[0].history, IsEmpty());
}

TEST_F(MetadataReaderTest, DirectoriesOnDifferentDisksMakeEstimates) {
  options_.disk = [](const std::string& directory) {
    const bool content = directory.ends_with("content");
    return layers::Disk{content ? layers::FileSystem::kExt4 : layers::FileSystem::kXfs, 4096};
  };
  EXPECT_EQ(Freed().certainty, Certainty::kRoughly);
}

TEST_F(MetadataReaderTest, TimeRunsOut) {
  fake_.hangs = "Namespaces.List";
  options_.timeout = Millis(200);
  const auto metadata = metadata_reader().ReadSnapshot(images_, never_);
  fake_.let_go.release();
  ASSERT_FALSE(metadata);
  EXPECT_EQ(metadata.error().kind, ErrorKind::kDeadline);
}

TEST_F(MetadataReaderTest, StoppingEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  const auto metadata = metadata_reader().ReadSnapshot(images_, stop.get_token());
  ASSERT_FALSE(metadata);
  EXPECT_EQ(metadata.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace imagesweep::containerd
