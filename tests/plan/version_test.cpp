#include "agent/plan/version.h"

#include <gtest/gtest.h>

namespace imagesweep {
namespace {

TEST(Version, OrdersTagsAsPeopleMeanThem) {
  const std::pair<const char*, const char*> older_newer[] = {
      {"v2", "v10"},
      {"v10", "v10.1"},
      {"1.9.0", "1.10.0"},
      {"1.0.0-rc.1", "1.0.0"},
      {"1.0.0-alpha", "1.0.0-beta"},
      {"1.0.0-rc.2", "1.0.0-rc.10"},
      {"1.0.0-rc1", "1.0.0"},
      {"20260122", "20260123"},
      {"2026-01-22", "2026.02"},
      {"build-9", "build-10"},
      {"prod-3-abcdef1", "prod-12-0123abc"},
      {"1.25-alpine", "1.26-alpine"},
  };
  for (const auto& [older, newer] : older_newer) {
    const auto a = ReadVersion(older), b = ReadVersion(newer);
    ASSERT_TRUE(a && b) << older << " " << newer;
    EXPECT_EQ(a->prefix, b->prefix) << older << " " << newer;
    EXPECT_LT(*a, *b) << older << " " << newer;
    EXPECT_GT(*b, *a) << older << " " << newer;
  }
}

TEST(Version, TextAroundTheNumberIsNotCompared) {
  for (const auto& [a, b] :
       {std::pair("v3", "v3-idempotency-fixed"), {"1.0", "1.0.0"}, {"1.0.0+a", "1.0.0+b"}})
    EXPECT_EQ(*ReadVersion(a), *ReadVersion(b)) << a << " " << b;
}

TEST(Version, WordsAndCommitsTellNone) {
  for (const char* tag : {"latest", "main", "dev", "abcdef1", "0a1b2c3d", "lancedb-abc123def456",
                          "v", "", "-", "vx", "99999999999999999999999"})
    EXPECT_FALSE(ReadVersion(tag)) << tag;
}

TEST(Version, TheKindOfVersionIsWhatStandsBeforeIt) {
  EXPECT_EQ(ReadVersion("build-12")->prefix, "build-");
  EXPECT_EQ(ReadVersion("release-v1.2")->prefix, "release-");
  EXPECT_EQ(ReadVersion("v1")->prefix, "");
}

}  // namespace
}  // namespace imagesweep
