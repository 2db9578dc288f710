#include "agent/model/image_stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/image_stores.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kMiB = 1 << 20;

std::vector<StorePos> StoresOf(const CommonImage& image) {
  std::vector<StorePos> stores;
  for (const auto& copy : image.copies) stores.push_back(copy.store);
  return stores;
}

TEST(ImageStores, SumsImagesOfAllStoresByTheirUse) {
  const auto summary = Summarize(std::vector{
      Read(StoreBuilder().Add(Img("a", {"app:1"}, 30 * kMiB), Code::kInUse).Add(Img("b", {"b:1"}))),
      Read(StoreBuilder()
               .Add(Img("a", {"app:1"}, 10 * kMiB))
               .Add(Img("p", {"pause:1"}, 1 * kMiB), Code::kSandbox)
               .Add(Img("q", {"pinned:1"}, 2 * kMiB), Code::kPinned))});
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->totals.all.images, 5U);
  EXPECT_EQ(summary->totals.all.bytes, 43 * kMiB + 1024);
  EXPECT_EQ(summary->totals.in_use.bytes, 30 * kMiB);
  EXPECT_EQ(summary->totals.pinned.bytes, 3 * kMiB);
  EXPECT_EQ(summary->totals.idle.images, 2U);
}

// A sum without the store would be too small, and an image that is only there would look unique.
TEST(ImageStores, HaveNoSummaryIfOneStoreCannotBeRead) {
  EXPECT_FALSE(Summarize(std::vector{Read(StoreBuilder().Add(Img("a", {"app:1"}))), Unread()}));
}

TEST(ImageStores, FindCommonImagesByTheIdAlsoWithoutItsPrefix) {
  Image on_crio = Img("a", {"registry.example/other-name:1"});
  on_crio.id = ImageId(on_crio.id.text().substr(7));
  const auto summary =
      Summarize(std::vector{Read(StoreBuilder().Add(Img("a", {"app:1"})).Add(Img("b", {"b:1"}))),
                            Read(StoreBuilder().Add(on_crio).Add(Img("c", {"b:1"})))});
  ASSERT_EQ(summary->common.size(), 1U) << "the name alone makes no image the same";
  EXPECT_THAT(StoresOf(summary->common.front()), ElementsAre(0, 1));
}

// Docker with the containerd image store has the digest of the manifest as the ID.
TEST(ImageStores, FindCommonImagesByTheDigestOfTheManifest) {
  Image on_docker = Img("x", {"app:1"});
  on_docker.id = ImageId(Id("digest-a"));
  const auto summary = Summarize(std::vector{Read(StoreBuilder().Add(on_docker)),
                                             Read(StoreBuilder().Add(Img("a", {"app:1"}))),
                                             Read(StoreBuilder().Add(Img("a", {"app:2"})))});
  ASSERT_EQ(summary->common.size(), 1U);
  EXPECT_THAT(StoresOf(summary->common.front()), ElementsAre(0, 1, 2));
}

// One index has images for several platforms.
TEST(ImageStores, DoNotJoinImagesByARepoDigestThatBothHave) {
  Image other = Img("b", {"app:1"});
  other.digests = Img("a", {"app:1"}).digests;
  const auto summary = Summarize(
      std::vector{Read(StoreBuilder().Add(Img("a", {"app:1"}))), Read(StoreBuilder().Add(other))});
  EXPECT_TRUE(summary->common.empty());
}

TEST(ImageStores, CountAFileSystemOnce) {
  const DiskUsage docker{"/var/lib/docker", 1000, 400, 0, 0};
  const DiskUsage containerd{"/var/lib/containerd", 1000, 399, 0, 0};
  const DiskUsage data{"/data", 500, 500, 0, 0};
  const auto summary =
      Summarize(std::vector{Read(StoreBuilder().Disk(docker, "8:1")),
                            Read(StoreBuilder().Disk(containerd, "8:1").Disk(data, "8:2"))});
  ASSERT_EQ(summary->disks.size(), 2U);
  EXPECT_EQ(summary->disks[0].usage.mountpoint, "/var/lib/docker");
  EXPECT_THAT(summary->disks[0].stores, ElementsAre(0, 1));
  EXPECT_THAT(summary->disks[1].stores, ElementsAre(1));
}

}  // namespace
}  // namespace imagesweep
