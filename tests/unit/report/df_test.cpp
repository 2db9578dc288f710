#include "agent/report/documents/df.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace imagesweep {
namespace {

using testing::HasSubstr;
using testing::Not;

DiskUse Sample() {
  DiskUse use;
  use.node = "node-1";
  use.observed_at = "2026-01-02T03:04:05.000Z";
  use.directory = "/var/lib/containerd";
  use.accounts = {{"in-use", {10 << 20, 30, 3, 2}}, {"idle", {4 << 20, 8, 2, 1}}};
  use.disk = SpaceOnDisk{16 << 20, 50, 0, 0};
  use.images = {{.id = "sha256:a",
                 .name = "registry.example/app:v1",
                 .tags = {"registry.example/app:v1"},
                 .total = {6 << 20, 9, 3, 2},
                 .unique = {4 << 20, 5, 2, 1},
                 .freed = {{4 << 20, 5, 2, 1}, "exactly", ""}}};
  return use;
}

TEST(DiskUseTest, SumsAccountsAndOtherFilesToTheUsedSpace) {
  const auto json = nlohmann::json::parse(DiskUseJson(Sample()));
  EXPECT_EQ(json["kind"], "DiskUse");
  EXPECT_EQ(json["node"], "node-1");
  EXPECT_EQ(json["observedAt"], "2026-01-02T03:04:05.000Z");
  EXPECT_EQ(json["counted"]["bytes"], 14 << 20);
  EXPECT_EQ(json["disk"]["otherBytes"], 2 << 20);
  EXPECT_EQ(json["disk"]["otherInodes"], 12);
  EXPECT_EQ(json["images"][0]["sharedBytes"], 2 << 20);
  EXPECT_EQ(json["images"][0]["freedBytes"], 4 << 20);
  EXPECT_TRUE(json["ifRemoved"].is_null());
}

// The disk was read a moment later than the rest.
TEST(DiskUseTest, TheRestIsNeverNegative) {
  DiskUse use = Sample();
  use.disk->bytes = 13 << 20;
  use.disk->inodes = 1;
  const auto disk = nlohmann::json::parse(DiskUseJson(use))["disk"];
  EXPECT_EQ(disk["otherBytes"], 0);
  EXPECT_EQ(disk["otherInodes"], 0);
  EXPECT_THAT(DiskUseText(use, {}), testing::ContainsRegex("other files +0B +0 "));
}

TEST(DiskUseTest, AFileSystemWithoutANumberOfInodesHasNoneOfOtherFiles) {
  DiskUse use = Sample();
  use.disk->inodes = 0;
  use.counts_inodes = false;
  const auto disk = nlohmann::json::parse(DiskUseJson(use))["disk"];
  EXPECT_TRUE(disk["usedInodes"].is_null());
  EXPECT_TRUE(disk["otherInodes"].is_null());
  EXPECT_EQ(disk["otherBytes"], 2 << 20);
  EXPECT_THAT(DiskUseText(use, {}), testing::ContainsRegex("other files +2.0MiB +0 "));
}

TEST(DiskUseTest, ADiskThatCannotBeSeenIsLeftOut) {
  DiskUse use = Sample();
  use.disk.reset();
  EXPECT_TRUE(nlohmann::json::parse(DiskUseJson(use))["disk"].is_null());
  EXPECT_THAT(DiskUseText(use, {}), Not(HasSubstr("other files")));
}

TEST(DiskUseTest, ABoundIsNeverShownAsAFigure) {
  DiskUse use = Sample();
  use.images[0].freed = {{4 << 20, 5, 2, 1}, "at most", "Leases.List k8s.io: broken"};
  use.unread = {"Leases.List k8s.io: broken"};
  const std::string text = DiskUseText(use, {});
  EXPECT_THAT(text, HasSubstr("at most 4.0MiB"));
  EXPECT_THAT(text, HasSubstr("Not read: Leases.List k8s.io: broken"));
  use.removal = {{"registry.example/app:v1"}, use.images[0].freed};
  const std::string removal = DiskUseText(use, {});
  EXPECT_THAT(removal, HasSubstr("frees at most 4.0MiB (4194304 bytes, 5 inodes): Leases.List"));
  EXPECT_THAT(removal, Not(HasSubstr("exactly")));
}

TEST(DiskUseTest, ANameThatARemovalLeavesIsNamed) {
  DiskUse use = Sample();
  use.images[0].survivors = {"import-2025@sha256:a"};
  EXPECT_EQ(nlohmann::json::parse(DiskUseJson(use))["images"][0]["survivingNames"],
            nlohmann::json({"import-2025@sha256:a"}));
  EXPECT_THAT(DiskUseText(use, {}), HasSubstr("the name import-2025@sha256:a"));
}

TEST(DiskUseTest, ASetThatIsExactIsGivenToTheByte) {
  DiskUse use = Sample();
  use.removal = {{"registry.example/app:v1"}, {{4194304, 5, 2, 1}, "exactly", ""}};
  EXPECT_EQ(DiskUseText(use, {}),
            "frees 4.0MiB (4194304 bytes, 5 inodes), exactly\n  registry.example/app:v1\n");
}

// CRI-O
DiskUse Bounds() {
  DiskUse use;
  use.bounds_only = "cri-o 1.30.4 does not tell what a layer takes";
  use.bounded = true;
  use.accounts = {{"in-use", {10 << 20, 0, 0, 0}, 2}, {"idle", {6 << 20, 0, 0, 0}, 1}};
  use.images = {{.id = "a",
                 .name = "registry.example/app:v1",
                 .tags = {"registry.example/app:v1"},
                 .in_use = false,
                 .pinned = false,
                 .total = {6 << 20, 0, 0, 0},
                 .unique = {},
                 .freed = {{6 << 20, 0, 0, 0}, "at most", use.bounds_only},
                 .survivors = {},
                 .layers = 3,
                 .shared_layers = 1},
                {.id = "b",
                 .name = "registry.example/base:v1",
                 .tags = {"registry.example/base:v1"},
                 .in_use = true,
                 .pinned = false,
                 .total = {4 << 20, 0, 0, 0},
                 .unique = {},
                 .freed = {{0, 0, 0, 0}, "at most", use.bounds_only},
                 .survivors = {},
                 .layers = 1,
                 .shared_layers = 1}};
  return use;
}

TEST(DiskUseTest, ARuntimeWithoutLayerSizesHasBoundsAndSaysWhy) {
  const std::string text = DiskUseText(Bounds(), {});
  EXPECT_THAT(text, HasSubstr("No exact sizes: cri-o 1.30.4 does not tell what a layer takes."));
  EXPECT_THAT(text, testing::ContainsRegex("idle +1 +\u22646.0MiB"));
  EXPECT_THAT(text, testing::ContainsRegex("app:v1 +no +3 +1 +\u22646.0MiB\n"));
  EXPECT_THAT(text, testing::ContainsRegex("base:v1 +yes +1 +1 +\u22640B\n"));
  EXPECT_THAT(DiskUseText(Bounds(), {.wide = true}),
              testing::AllOf(testing::ContainsRegex("app:v1 +no +6.0MiB +3 +1 +\u22646.0MiB "
                                                    "+\u22646.0MiB +\u22646.0MiB\n"),
                             testing::ContainsRegex("base:v1 +yes +4.0MiB +1 +1 +\u22640B")));
  const auto json = nlohmann::json::parse(DiskUseJson(Bounds()));
  EXPECT_EQ(json["boundsOnly"], Bounds().bounds_only);
  EXPECT_EQ(json["images"][0]["freedBytesAtMost"], 6 << 20);
  EXPECT_EQ(json["images"][0]["sharedLayers"], 1);
  EXPECT_FALSE(json["images"][0].contains("freedBytes")) << "a bound is no figure";
  EXPECT_TRUE(nlohmann::json::parse(DiskUseJson(Sample()))["boundsOnly"].is_null());
}

// containerd's sizes are compressed, so a removal may free more.
TEST(DiskUseTest, SizesThatBoundNothingAreNotShownAsBounds) {
  DiskUse use = Bounds();
  use.bounded = false;
  use.bounds_only = "containerd's layers cannot be read: Version: broken";
  for (auto& image : use.images) image.freed = {{}, "not known", use.bounds_only};
  use.removal = {{"registry.example/app:v1"}, {{}, "not known", use.bounds_only}};
  EXPECT_THAT(DiskUseText(use, {}), HasSubstr("frees an unknown amount: containerd's layers"));
  const auto json = nlohmann::json::parse(DiskUseJson(use));
  EXPECT_TRUE(json["images"][0]["freedBytesAtMost"].is_null());
  EXPECT_TRUE(json["accounts"][0]["bytesAtMost"].is_null());
  EXPECT_TRUE(json["ifRemoved"]["freedBytesAtMost"].is_null());
  use.removal.reset();
  EXPECT_THAT(DiskUseText(use, {}), HasSubstr("so it is not a bound"));
  EXPECT_THAT(DiskUseText(use, {}), Not(HasSubstr("\u2264")));
}

TEST(DiskUseTest, ImagesHaveOneSizeAndAllOnlyInAWideTable) {
  const auto row = [](const TextOptions& options) { return DiskUseText(Sample(), options); };
  EXPECT_EQ(row({.with_header = false}), "registry.example/app:v1  no  4.0MiB\n");
  EXPECT_EQ(row({.wide = true, .with_header = false}),
            "registry.example/app:v1  no  6.0MiB  4.0MiB  2.0MiB  4.0MiB\n");
}

TEST(DiskUseTest, WithoutHeadersThereAreImagesAlone) {
  const std::string text = DiskUseText(Sample(), {.with_header = false});
  EXPECT_THAT(text, Not(HasSubstr("in-use")));
  EXPECT_THAT(text, testing::StartsWith("registry.example/app:v1"));
}

}  // namespace
}  // namespace imagesweep
