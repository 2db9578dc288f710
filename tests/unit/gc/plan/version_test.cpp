#include "agent/gc/plan/version.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace imagesweep {
namespace {

TEST(Version, OrdersTheTagsOfOneScheme) {
  const std::pair<const char*, const char*> older_newer[] = {
      {"v2", "v10"},
      {"1.9.0", "1.10.0"},
      {"1.0.0-rc.1", "1.0.0"},
      {"1.0.0-alpha", "1.0.0-beta"},
      {"1.0.0-rc.2", "1.0.0-rc.10"},
      {"1.0.0-RC1", "1.0.0"},
      {"1.0.0-SNAPSHOT", "1.0.0"},
      {"1.0b2", "1.0rc1"},
      {"1.0.0-rc.1-alpine", "1.0.0-alpine"},
      {"20260122", "20260123"},
      {"2026-01-22", "2026-02-01"},
      {"2025.12", "2026.02"},
      {"build-9", "build-10"},
      {"prod-3-abcdef1", "prod-12-0123abc"},
      {"1.25-alpine", "1.26-alpine"},
      {"nightly-2020-05-25", "nightly-2020-06-01"},
      {"RELEASE.2023-12-23T07-19-11Z", "RELEASE.2024-01-16T16-07-38Z"},
      {"20240115T093000Z", "20240115T123000Z"},
      {"main-9f8e7d6-1611906956", "main-1a2b3c4-1611916956"},
      {"main-6458291-1611906956", "main-1a2b3c4-1611916956"},
      {"1.4.2-99", "1.4.2-101"},
      {"1.2.3-build.9", "1.2.3-build.10"},
      {"15.2.0-debian-11-r9", "15.2.0-debian-11-r14"},
      {"15.2.0-debian-11-r14", "15.2.0-debian-12-r2"},
      {"15.2.0-debian-12-r2", "15.3.0-debian-11-r0"},
      {"v1.4.2-9-gabcdef1", "v1.4.2-23-gfedcba9"},
      {"8u392-b08", "8u402-b06"},
      {"8u402-b06", "8u402-b10"},
      {"17.0.9_8", "17.0.9_11"},
      {"v2-idempotency", "v3-idempotency-fixed"},
      {"debian-9", "debian-12"},
  };
  for (const auto& [older, newer] : older_newer) {
    const TagVersion a = ReadTag(older), b = ReadTag(newer);
    ASSERT_EQ(a.kind, TagKind::kVersion) << older;
    ASSERT_EQ(b.kind, TagKind::kVersion) << newer;
    EXPECT_EQ(SchemeText(a), SchemeText(b));
    EXPECT_EQ(a.scheme, b.scheme) << older << " " << newer;
    EXPECT_LT(a, b) << older << " " << newer;
    EXPECT_GT(b, a) << older << " " << newer;
  }
}

TEST(Version, TagsOfDifferentSchemesAreNotCompared) {
  const std::vector<const char*> tags = {"7",
                                         "v7",
                                         "build-7",
                                         "1.9",
                                         "1.9.1",
                                         "v1.9.1",
                                         "1.9.1-101",
                                         "1.9.1-alpine",
                                         "1.9.1-slim",
                                         "1.9.1-alpine3.18",
                                         "1.9.1-amd64",
                                         "1.9-eclipse-temurin-17",
                                         "1.9-eclipse-temurin-21",
                                         "2024",
                                         "2024.1",
                                         "2024.1.15",
                                         "2024-01-15",
                                         "20240115",
                                         "20240115.3",
                                         "202401151200",
                                         "nightly-2024-01-15",
                                         "nightly-20240115",
                                         "2024-01-15T10-00Z",
                                         "2024-01-15T10-00-00Z",
                                         "main-1a2b3c4-1611906956",
                                         "main-1611906956",
                                         "dev-1a2b3c4-1611906956",
                                         "v1.4.2-23-gfedcba9",
                                         "8u402",
                                         "8u402-b06",
                                         "15.2.0-debian-12",
                                         "15.2.0-debian-13",
                                         "15.2.0-debian-12-r2",
                                         "debian-12",
                                         "alpine-3",
                                         "v2-search",
                                         "v2-checkout"};
  std::set<std::string> schemes;
  for (const char* tag : tags) {
    const TagVersion version = ReadTag(tag);
    EXPECT_EQ(version.kind, TagKind::kVersion) << tag;
    EXPECT_TRUE(schemes.insert(version.scheme).second) << tag << ": " << SchemeText(version);
  }
}

TEST(Version, GivesCommitsNoOrderEvenWhenTheyAreDigits) {
  for (const char* tag : {"abcdef1", "0a1b2c3d", "6458291", "64582910", "sha-6458291",
                          "main-3f2a9bc", "pr-12-3f2a9bc", "99999999999999999999999", "123456789",
                          "987654321012", "0123456789012345678901234567890123456789"})
    EXPECT_EQ(ReadTag(tag).kind, TagKind::kCommit) << tag;
  EXPECT_EQ(ReadTag("sha-6458291").scheme, ReadTag("sha-ad132f5").scheme);
  for (const char* time : {"20240115", "202401151530", "1611906956", "1611906956123"})
    EXPECT_NE(ReadTag(time).kind, TagKind::kCommit) << time;
}

TEST(Version, WordsAndTheNumbersOfBranchesHaveNoOrder) {
  for (const char* tag : {"latest", "main", "dev", "v", "", "-", "vx", "3f2a", "7b", "alpine3.18",
                          "pr-12", "feature-12-login"})
    EXPECT_EQ(ReadTag(tag).kind, TagKind::kWord) << tag;
}

TEST(Version, ReadsSignaturesAttestationsAndSbomsAsSuchNotAsVersions) {
  const std::string subject = "sha256-" + std::string(64, '7');
  for (const char* ending : {"", ".sig", ".att", ".sbom", ".cosign.bundle", "-1"}) {
    EXPECT_EQ(ReadTag(subject + ending).kind, TagKind::kSignature) << ending;
    EXPECT_EQ(SubjectOf(subject + ending), subject) << ending;
  }
  for (const std::string& tag : {subject + "7", subject.substr(0, 70), "my-" + subject})
    EXPECT_NE(ReadTag(tag).kind, TagKind::kSignature) << tag;
}

// Many images have a "-dev" variant beside each release, and nightly builds beside releases.
TEST(Version, AWordThatMayBeAVariantIsNoPrerelease) {
  for (const char* word : {"dev", "nightly", "pre", "preview"}) {
    const std::string variant = std::string("1.4.0-") + word;
    EXPECT_NE(ReadTag(variant).scheme, ReadTag("1.4.0").scheme) << variant;
    EXPECT_LT(ReadTag(variant), ReadTag(std::string("1.5.0-") + word)) << variant;
    EXPECT_EQ(ReadTag(variant + ".3").scheme, ReadTag("1.4.0").scheme) << "it counts builds";
    EXPECT_TRUE(ReadTag(variant + "3").prerelease) << variant;
  }
}

TEST(Version, ANumberAfterAWordMayBePartOfAName) {
  for (const char* tag : {"cuda-11", "debian-12", "proj-1234", "prod-3-abcdef1", "cuda-11-devel"})
    EXPECT_TRUE(ReadTag(tag).may_be_name) << tag;
  for (const char* tag : {"7", "v7", "build-9", "release-12", "version_3", "cuda-11.8",
                          "nightly-20240115", "nightly-2024-01-15", "main-1611906956", "1.4.2-101",
                          "main-1a2b3c4-1611906956", "15.2.0-debian-12-r2", "v2-retry"})
    EXPECT_FALSE(ReadTag(tag).may_be_name) << tag;
}

TEST(Version, WordsOfHandMadeVersionsMayTellWhatTheyAre) {
  const auto may_replace = [](const char* newer, const char* older) {
    const TagVersion a = ReadTag(newer), b = ReadTag(older);
    EXPECT_EQ(a.scheme, b.scheme) << newer << " " << older;
    return MayReplace(a, b);
  };
  EXPECT_TRUE(may_replace("v3-retry-fixed", "v2-retry"));
  EXPECT_TRUE(may_replace("v4-retry-fixed-again", "v3-retry-fixed"));
  EXPECT_FALSE(may_replace("v4-retry", "v3-retry-fixed"));
  EXPECT_FALSE(may_replace("v4-linux-amd64", "v3-linux-arm64"));
  EXPECT_FALSE(may_replace("v4-linux-arm64v8", "v3-linux-arm64"));
}

TEST(Version, DescribesTheScheme) {
  const std::pair<const char*, const char*> texts[] = {
      {"v2", "v<number>"},
      {"1.25-alpine", "<number>.<number>-alpine"},
      {"nightly-2020-05-24", "nightly-<date>"},
      {"main-1a2b3c4-1611906956", "main-<commit>-<number>"},
      {"v3-idempotency-fixed", "v<number>-idempotency…"},
      {"2024.1", "<year>.<number>"}};
  for (const auto& [tag, text] : texts) EXPECT_EQ(SchemeText(ReadTag(tag)), text);
}

// The tag does not show whether the day or the month is first.
TEST(Version, GivesAnAmbiguousDateNoOrder) {
  for (const char* tag :
       {"31-12-2023", "02-01-2024", "12.31.2023", "01.02.2024", "1_2_2024", "build-020124",
        "build-311223", "02012024", "31122023", "v-02-01-2024-amd64", "12-2024", "release-01-2025",
        "week-52-2024", "12.2024", "31-12-24", "02_01_25", "nightly-24-12-31", "02.01.25"})
    EXPECT_NE(ReadTag(tag).kind, TagKind::kVersion) << tag;
  for (const char* tag :
       {"2024-01-02", "20240102", "20240102-093000", "build-123456", "1.2.3", "1.0.2024",
        "20240115T093000Z", "4.14.0-202401021530.p0", "99.12.2023", "2024.12", "54-2024", "v1-2024",
        "10.11.12", "24.04.1", "2024-01-02-10-11-12", "1-2-3"})
    EXPECT_EQ(ReadTag(tag).kind, TagKind::kVersion) << tag;
}

}  // namespace
}  // namespace imagesweep
