#include "agent/containerd/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "tests/containerd/fake_containerd.h"

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

class CollectorTest : public testing::Test {
 protected:
  CollectorTest() {
    auto& space = fake_.spaces["k8s.io"];
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

  Collector& collector() {
    if (!collector_) collector_ = std::make_unique<Collector>(fake_.Channel(), clock_, options_);
    return *collector_;
  }
  layers::World Collect() {
    auto world = collector().Collect(images_, never_);
    if (!world) throw std::runtime_error(world.error().what);
    return *std::move(world);
  }
  layers::Freed Freed() {
    const auto graph = collector().Read(images_, never_);
    if (!graph) throw std::runtime_error(graph.error().what);
    constexpr std::array<std::uint32_t, 1> kFirst{0};
    return (*graph)->FreedBy(kFirst);
  }

  FakeContainerd fake_;
  RealClock clock_;
  CollectorOptions options_;
  std::vector<Image> images_;
  std::stop_token never_;
  std::unique_ptr<Collector> collector_;
};

TEST_F(CollectorTest, SeesWhatAnImageFrees) {
  const auto freed = Freed();
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
  // Manifest, config, and layer in blocks, and a snapshot with its two directories.
  EXPECT_EQ(freed.space.bytes, 4096U + 4096U + 8192U + 40960U + 8192U);
  EXPECT_EQ(freed.space.blobs, 3U);
}

TEST_F(CollectorTest, ReadsTheHistoryOfAnImage) {
  options_.configs = true;
  const auto world = Collect();
  ASSERT_EQ(world.facts().size(), 1U);
  const auto& facts = world.facts()[0];
  EXPECT_EQ(facts.diff_ids.size(), 1U);
  ASSERT_EQ(facts.history.size(), 2U);
  EXPECT_EQ(world.keys().Text(facts.history[0].created_by), "COPY app /");
  EXPECT_TRUE(facts.history[1].empty_layer);
}

TEST_F(CollectorTest, OtherNamespacesHoldTheirBlobs) {
  auto& other = fake_.spaces["moby"];
  other.blobs[kLayer] = fake_.spaces["k8s.io"].blobs[kLayer];
  other.leases["keeper"] = {kLayer};
  const auto freed = Freed();
  EXPECT_EQ(freed.space.blobs, 2U);
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
}

TEST_F(CollectorTest, ARuntimeWithoutTheseServicesIsNotContainerd) {
  FakeContainerd without(false);
  Collector one(without.Channel(), clock_, options_);
  const auto world = one.Collect(images_, never_);
  ASSERT_FALSE(world);
  EXPECT_EQ(world.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(world.error().what, HasSubstr("not containerd"));
}

// A part that fails is reported, and then no figure is exact.
TEST_F(CollectorTest, WhatCannotBeReadIsSaid) {
  options_.configs = true;
  struct Row {
    const char* method;
    grpc::StatusCode code;
    Unread::What what;
  };
  constexpr auto kHolders = Unread::What::kHolders;
  constexpr auto kObjects = Unread::What::kObjects;
  const Row rows[] = {
      {"Images.List", grpc::StatusCode::UNAVAILABLE, kHolders},
      {"Content.List", grpc::StatusCode::UNAVAILABLE, kObjects},  // truncated
      {"Content.List", grpc::StatusCode::UNIMPLEMENTED, kObjects},
      {"Snapshots.List", grpc::StatusCode::INTERNAL, kObjects},
      {"Snapshots.Usage", grpc::StatusCode::INTERNAL, kObjects},
      {"Containers.ListStream", grpc::StatusCode::UNIMPLEMENTED, kHolders},
      {"Leases.List", grpc::StatusCode::UNIMPLEMENTED, kHolders},
      {"Leases.ListResources", grpc::StatusCode::DEADLINE_EXCEEDED, kHolders},
      {"Content.ListStatuses", grpc::StatusCode::UNKNOWN, kHolders},
      {"Content.Read", grpc::StatusCode::INTERNAL, kObjects},
      {"Plugins", grpc::StatusCode::UNIMPLEMENTED, kObjects},
  };
  fake_.spaces["k8s.io"].leases["keeper"] = {};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.method);
    fake_.faults = {{row.method, grpc::Status(row.code, "broken")}};
    collector_.reset();
    const auto world = Collect();
    ASSERT_EQ(world.unread().size(), 1U);
    EXPECT_EQ(world.unread()[0].what, row.what);
    EXPECT_THAT(world.unread()[0].why, HasSubstr("broken"));
    EXPECT_FALSE(Freed().exact());
  }
}

TEST_F(CollectorTest, WhatAStreamSaidBeforeItWasCutIsKept) {
  fake_.faults = {{"Content.List", grpc::Status(grpc::StatusCode::UNAVAILABLE, "restart")}};
  EXPECT_EQ(Collect().blobs().size(), 1U);
}

TEST_F(CollectorTest, WithoutVersionOrNamespacesThereIsNoWorld) {
  for (const char* method : {"Version", "Namespaces.List"}) {
    fake_.faults = {{method, grpc::Status(grpc::StatusCode::UNAVAILABLE, "starting")}};
    const auto world = collector().Collect(images_, never_);
    ASSERT_FALSE(world) << method;
    EXPECT_EQ(world.error().kind, ErrorKind::kUnavailable);
  }
}

// Any entry may disappear between the list and the request for it.
TEST_F(CollectorTest, WhatVanishesMeanwhileIsNoFailure) {
  options_.configs = true;
  const grpc::Status gone(grpc::StatusCode::NOT_FOUND, "not found");
  fake_.spaces["k8s.io"].leases["keeper"] = {kLayer};
  fake_.faults = {
      {"Snapshots.Usage", gone}, {"Content.Read", gone}, {"Leases.ListResources", gone}};
  const auto world = Collect();
  EXPECT_THAT(world.unread(), IsEmpty());
  EXPECT_THAT(world.snapshots(), IsEmpty());
  EXPECT_THAT(world.holders(), IsEmpty());
  EXPECT_THAT(world.facts(), IsEmpty());
}

TEST_F(CollectorTest, UsageAndConfigAreReadOnce) {
  options_.configs = true;
  Collect();
  Collect();
  EXPECT_EQ(fake_.asked["Snapshots.Usage"], 1);
  EXPECT_EQ(fake_.asked["Content.Read"], 1);
  // Another snapshot under the same key.
  auto& snapshot = fake_.spaces["k8s.io"].snapshots[kChain];
  snapshot.created = 2;
  snapshot.bytes = 8192;
  const auto world = Collect();
  EXPECT_EQ(fake_.asked["Snapshots.Usage"], 2);
  EXPECT_EQ(world.snapshots()[0].bytes, 8192U);
}

TEST_F(CollectorTest, UsageOfWhatAContainerWritesIsNotAskedFor) {
  fake_.spaces["k8s.io"].snapshots["container"] = {kChain, 1, 77, {}, api::snapshots::ACTIVE};
  Collect();
  EXPECT_EQ(fake_.asked["Snapshots.Usage"], 1);
}

TEST_F(CollectorTest, WhatFreesIsKnownWithoutConfigs) {
  const auto freed = Freed();
  EXPECT_EQ(freed.certainty, Certainty::kExact) << freed.why;
  EXPECT_EQ(fake_.asked["Content.Read"], 0);
  EXPECT_THAT(Collect().facts(), IsEmpty());
  options_.configs = true;
  collector_.reset();
  EXPECT_EQ(Freed().space.bytes, freed.space.bytes);
  EXPECT_EQ(fake_.asked["Content.Read"], 1);
}

TEST_F(CollectorTest, AManifestWithoutLabelsIsRead) {
  auto& blob = fake_.spaces["k8s.io"].blobs[kManifest];
  blob = {R"({"config": {"digest": ")" + kConfig + R"("}})", {}};
  const auto world = Collect();
  ASSERT_EQ(world.facts().size(), 1U);
  ASSERT_EQ(world.facts()[0].manifests.size(), 1U);
  EXPECT_EQ(world.keys().Text(world.facts()[0].manifests[0]), kManifest);
  EXPECT_EQ(fake_.asked["Content.Read"], 1);  // not the config
}

TEST_F(CollectorTest, AConfigThatIsNoJsonHasNoHistory) {
  options_.configs = true;
  fake_.spaces["k8s.io"].blobs[kConfig].data = "<html>";
  const auto world = Collect();
  EXPECT_THAT(world.unread(), IsEmpty());
  ASSERT_EQ(world.facts().size(), 1U);
  EXPECT_THAT(world.facts()[0].history, IsEmpty());
}

TEST_F(CollectorTest, DirectoriesOnDifferentDisksMakeEstimates) {
  options_.disk = [](const std::string& directory) {
    const bool content = directory.ends_with("content");
    return layers::Disk{content ? layers::FileSystem::kExt4 : layers::FileSystem::kXfs, 4096};
  };
  EXPECT_EQ(Freed().certainty, Certainty::kRoughly);
}

TEST_F(CollectorTest, TimeRunsOut) {
  fake_.hangs = "Namespaces.List";
  options_.timeout = Millis(200);
  const auto world = collector().Collect(images_, never_);
  fake_.let_go.release();
  ASSERT_FALSE(world);
  EXPECT_EQ(world.error().kind, ErrorKind::kDeadline);
}

TEST_F(CollectorTest, StoppingEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  const auto world = collector().Collect(images_, stop.get_token());
  ASSERT_FALSE(world);
  EXPECT_EQ(world.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace imagesweep::containerd
