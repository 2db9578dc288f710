#include "agent/imagestore/graph/labels.h"

#include <gtest/gtest.h>

#include "agent/imagestore/graph/key.h"
#include "tests/support/images.h"

namespace imagesweep::layers {
namespace {

GcLabels Read(std::string_view key, std::string_view value, const GcRules& rules = {}) {
  const Label label{key, value};
  GcLabels out;
  ReadLabels({&label, 1}, rules, out);
  return out;
}

struct ReferenceCase {
  std::string_view key, value;
  ObjectType type = ObjectType::kContent;
  std::string_view snapshotter, target;
  bool back = false;
};

TEST(GcLabelsTest, ReadsReferencesAsTheCollectorDoes) {
  const ReferenceCase cases[] = {
      {"containerd.io/gc.ref.content", "d", ObjectType::kContent, "", "d", false},
      {"containerd.io/gc.ref.content.config", "d", ObjectType::kContent, "", "d", false},
      {"containerd.io/gc.ref.content.l.12", "d", ObjectType::kContent, "", "d", false},
      {"containerd.io/gc.ref.content/x", "d", ObjectType::kContent, "", "d", false},
      {"containerd.io/gc.ref.snapshot.overlayfs", "c", ObjectType::kSnapshot, "overlayfs", "c",
       false},
      {"containerd.io/gc.ref.snapshot.overlayfs/2", "c", ObjectType::kSnapshot, "overlayfs", "c",
       false},
      {"containerd.io/gc.ref.image", "app:1", ObjectType::kImage, "", "app:1", false},
      {"containerd.io/gc.bref.content.subject", "d", ObjectType::kContent, "", "d", true},
      {"containerd.io/gc.bref.container", "k", ObjectType::kContainer, "", "k", true},
      {"containerd.io/gc.bref.image/x", "app:1", ObjectType::kImage, "", "app:1", true},
      {"containerd.io/gc.bref.snapshot.native", "c", ObjectType::kSnapshot, "native", "c", true},
      {"containerd.io/gc.cond.snapshot.overlayfs/n", "usedat<24h,usedat>1h|c",
       ObjectType::kSnapshot, "overlayfs", "c", false},
  };
  for (const auto& its : cases) {
    const GcLabels labels = Read(its.key, its.value);
    ASSERT_EQ(labels.references.size(), 1U) << its.key;
    const LabelReference& reference = labels.references.front();
    EXPECT_EQ(reference.type, its.type) << its.key;
    EXPECT_EQ(reference.snapshotter, its.snapshotter) << its.key;
    EXPECT_EQ(reference.key, its.target) << its.key;
    EXPECT_EQ(reference.back, its.back) << its.key;
    EXPECT_EQ(labels.conditional, its.key.find("gc.cond") != std::string_view::npos) << its.key;
  }
}

TEST(GcLabelsTest, IgnoresOtherLabels) {
  for (const std::string_view key :
       {"containerd.io/gc.ref.contents", "containerd.io/gc.ref.content-x", "containerd.io/gc.ref.",
        "containerd.io/gc.bref.containers", "containerd.io/gc.ref.snapshot",
        "containerd.io/uncompressed", "containerd.io/distribution.source.docker.io", "", "x",
        "containerd.io/gc.cond.value-usedat", "gc.root"}) {
    const GcLabels labels = Read(key, "sha256:x");
    EXPECT_TRUE(labels.references.empty()) << key;
    EXPECT_FALSE(labels.root || labels.flat || labels.expires) << key;
  }
  EXPECT_TRUE(Read("containerd.io/gc.cond.snapshot.overlayfs", "no bar").references.empty());
}

TEST(GcLabelsTest, RootFlatAndBuildKit) {
  EXPECT_TRUE(Read("containerd.io/gc.root", "").root);
  EXPECT_TRUE(Read("containerd.io/gc.flat", "2026-01-01T00:00:00Z").flat);
  EXPECT_TRUE(Read("buildkit/lease.temporary", "").of_buildkit);
}

TEST(GcRulesTest, FollowTheVersion) {
  struct Case {
    std::string_view version;
    bool expiry, back, conditions;
  };
  for (const Case& its : {Case{"1.6.20", false, false, false},
                          {"v1.7.24", false, false, false},
                          {"2.1.9", true, false, false},
                          {"v2.2.0-rc.1", true, true, false},
                          {"2.3.4", true, true, true},
                          {"3.0.0", true, true, true},
                          {"dev", true, true, true},
                          {"", true, true, true}}) {
    const GcRules rules = RulesOf(its.version);
    EXPECT_EQ(rules.image_expiry, its.expiry) << its.version;
    EXPECT_EQ(rules.back_references, its.back) << its.version;
    EXPECT_EQ(rules.conditions, its.conditions) << its.version;
  }
  const GcRules old = RulesOf("1.7.24");
  EXPECT_TRUE(Read("containerd.io/gc.bref.content", "d", old).references.empty());
  EXPECT_TRUE(Read("containerd.io/gc.ref.image", "d", old).references.empty());
  EXPECT_TRUE(Read("containerd.io/gc.cond.snapshot.o", "usedat<1h|c", old).references.empty());
  EXPECT_EQ(Read("containerd.io/gc.ref.content", "d", old).references.size(), 1U);
}

TEST(ParseTimeTest, ReadsRfc3339) {
  struct Case {
    std::string_view text;
    std::optional<std::int64_t> seconds;
  };
  const Case cases[] = {
      {"2001-09-09T01:46:40Z", 1'000'000'000},
      {"2001-09-09T03:46:40.5+02:00", 1'000'000'000},
      {"2001-09-08T19:16:40-06:30", 1'000'000'000},
      {"2001-09-09T01:46:40.123456789Z", 1'000'000'000},
      {"2001-02-30T00:00:00Z", std::nullopt},
      {"2001-09-09 01:46:40Z", std::nullopt},
      {"2001-09-09T01:46:40", std::nullopt},
      {"2001-09-09T01:46:40.Z", std::nullopt},
      {"2001-09-09T25:46:40Z", std::nullopt},
      {"2001-09-09T01:46:40+2:00", std::nullopt},
      {"", std::nullopt},
      {"tomorrow", std::nullopt},
  };
  for (const auto& [text, seconds] : cases) {
    const auto time = ParseTime(text);
    std::optional<std::int64_t> found;
    if (time) found = std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count();
    EXPECT_EQ(found, seconds) << text;
  }
  EXPECT_LT(*ParseTime("0001-01-01T00:00:00Z"), *ParseTime("2001-09-09T01:46:40Z"));
  EXPECT_GT(*ParseTime("9999-12-31T23:59:59Z"), *ParseTime("2150-01-01T00:00:00Z"));
}

TEST(KeyTableTest, GivesEveryTextBackAndEqualTextsOneKey) {
  KeyTable table;
  std::vector<std::pair<std::string, Key>> known;
  for (int i = 0; i < 3000; ++i)
    for (const std::string& text : {Id(std::to_string(i)), "name-" + std::to_string(i)})
      known.emplace_back(text, table.Intern(text));
  std::vector<bool> seen(table.size(), false);
  for (const auto& [text, key] : known) {
    EXPECT_EQ(table.Text(key), text);
    EXPECT_EQ(table.Intern(text), key);
    EXPECT_EQ(table.Find(text), key);
    EXPECT_FALSE(seen[table.Index(key)]);
    seen[table.Index(key)] = true;
  }
  EXPECT_EQ(table.size(), known.size());
  EXPECT_EQ(table.Find("never seen"), kNoKey);
  EXPECT_EQ(KeyTable().Find(Id("x")), kNoKey);
  EXPECT_EQ(KeyTable().Find(""), kNoKey);
}

TEST(KeyTableTest, OnlyPlainSha256IsADigest) {
  const std::string plain = Id("x");
  std::string upper = plain;
  upper[8] = 'A';
  for (const std::string& text : {upper, plain + "0", plain.substr(0, 70), "sha512:" + plain,
                                  plain.substr(7), std::string("sha256:")})
    EXPECT_FALSE(ParseDigest(text)) << text;
  ASSERT_TRUE(ParseDigest(plain));
  EXPECT_EQ(ToText(*ParseDigest(plain)), plain);
  KeyTable table;
  EXPECT_NE(table.Intern(plain), table.Intern(upper));
  EXPECT_EQ(table.Text(table.Intern(upper)), upper);
}

}  // namespace
}  // namespace imagesweep::layers
