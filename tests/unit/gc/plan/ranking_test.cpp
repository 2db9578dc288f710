#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "agent/gc/plan/planner.h"
#include "tests/support/observation.h"

// Which of two images is newer, and the consequences. Only comparable tags are compared.

namespace imagesweep {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

// Every image is old enough, and none is removed for age or space.
Policy OnlyRanks(int last) {
  Policy policy;
  policy.minimum_age = policy.maximum_age = Millis(0);
  policy.disk.high_percent = 0;
  policy.limits.max_percent_of_images = 100;
  policy.limits.max_images = 1000;
  policy.keep.last_per_repository = last;
  return policy;
}

struct Ranks : testing::Test {
  void Pulled(std::vector<std::string> tags) {
    Image image = Img(tags.front(), {});
    for (const std::string& tag : tags) image.tags.push_back(ImageName::Parse(tag));
    image.digests = {ImageName::Parse(std::string(image.tags.front().repository()) + "@" +
                                      Id("digest-" + tags.front()))};
    image.origin = {OriginKind::kPulled, "pulled by the test", image.digests.front().text()};
    Add(std::move(image));
  }
  void Built(const std::string& tag) {
    Image image = Img(tag, {std::string_view(tag)});
    image.digests.clear();
    image.origin = {};
    Add(std::move(image));
  }
  void PulledByDigest(const std::string& word, const std::string& repository) {
    Image image = Img(word, {});
    image.digests = {ImageName::Parse(repository + "@" + Id("digest-" + word))};
    image.origin = {OriginKind::kPulled, "pulled by the test", image.digests.front().text()};
    Add(std::move(image));
  }
  // Each is first seen an hour after the previous one.
  void Add(Image image) {
    builder.Add(std::move(image));
    const auto order = static_cast<int>(seen().images.size());
    seen().ages.back().first_seen = SystemTime(hours(order));
    seen().ages.back().unused_for = hours(1000 - order);
  }
  void SeenAtOnce() {
    for (ImageAge& age : seen().ages) age.first_seen = SystemTime(hours(1));
    for (ImageAge& age : seen().ages) age.unused_for = hours(999);
  }
  Observation& seen() { return builder.seen(); }

  const Decision& Of(const std::string& tag) {
    plan = MakePlan(policy, seen());
    const auto name = ImageName::Parse(tag);
    for (const Decision& decision : plan.decisions)
      if (std::ranges::count(seen().images[decision.image].tags, name) > 0) return decision;
    ADD_FAILURE() << "no image " << tag;
    return plan.decisions.front();
  }
  Code CodeOf(const std::string& tag) { return Of(tag).code; }

  ObservationBuilder builder;
  Policy policy = OnlyRanks(2);
  Plan plan;
};

struct Set {
  const char* what;
  std::vector<std::string> tags;  // oldest first
};

// keepLast: 1, for images that existed before the agent, so that all have the same first
// observation.
TEST_F(Ranks, KeepLastKeepsTheNewestOfEveryScheme) {
  const Set sets[] = {
      {"nightly", {"nightly-2020-05-24", "nightly-2020-05-25", "nightly-2020-06-01"}},
      {"ISO dates", {"2024-01-15", "2024-03-20", "2024-12-31"}},
      {"RELEASE",
       {"RELEASE.2023-12-23T07-19-11Z", "RELEASE.2024-01-16T16-07-38Z",
        "RELEASE.2024-02-09T21-25-16Z"}},
      {"branch, commit and time",
       {"main-1a2b3c4-1611906956", "main-9f8e7d6-1611916956", "main-0c1d2e3-1611926956"}},
      {"build numbers", {"1.4.2-98", "1.4.2-99", "1.4.2-101"}},
      {"distribution and revision",
       {"15.2.0-debian-11-r9", "15.2.0-debian-11-r14", "15.2.0-debian-12-r2"}},
      {"git describe", {"v1.4.2-9-gabcdef1", "v1.4.2-10-g1234567", "v1.4.2-23-gfedcba9"}},
      {"Java", {"8u382-b05", "8u392-b08", "8u402-b06"}},
  };
  Rule rule;
  rule.name = "one";
  rule.keep_last = 1;
  rule.action = RuleAction::kRemove;
  policy.rules = {rule};
  policy.remove_superseded = false;
  for (const auto& [what, tags] : sets) {
    builder = {};
    for (auto tag = tags.rbegin(); tag != tags.rend(); ++tag)
      Pulled({"registry.example/" + std::string("app:") + *tag});
    SeenAtOnce();
    for (const std::string& tag : tags)
      EXPECT_EQ(CodeOf("registry.example/app:" + tag),
                tag == tags.back() ? Code::kRetained : Code::kRule)
          << what << ": " << tag;
  }
}

// A commit, the number of a run, or a date, only digits, beside versions: the version before the
// one in use is kept for rollback.
TEST_F(Ranks, DoNotCountBareDigitsAsVersions) {
  Pulled({"registry.example/svc:6458291"});
  for (const char* tag : {"1.8.0", "1.9.0"}) Pulled({"registry.example/svc:" + std::string(tag)});
  Pulled({"registry.example/svc:2.0.0", "registry.example/svc:latest"});
  Pulled({"registry.example/ghcr:5471674518"});
  Pulled({"registry.example/ghcr:0.5"});
  Pulled(
      {"registry.example/ghcr:0.6", "registry.example/ghcr:latest", "registry.example/ghcr:main"});
  for (const char* tag : {"20240115", "v1.1.0", "v1.2.0"})
    Pulled({"registry.example/cal:" + std::string(tag)});
  for (const char* used : {"svc:2.0.0", "ghcr:0.6", "cal:v1.2.0"})
    builder.Use("registry.example/" + std::string(used));
  for (const char* previous : {"svc:1.9.0", "ghcr:0.5", "cal:v1.1.0"})
    EXPECT_EQ(CodeOf("registry.example/" + std::string(previous)), Code::kRetained) << previous;
  EXPECT_EQ(CodeOf("registry.example/svc:1.8.0"), Code::kSuperseded);
  EXPECT_EQ(Of("registry.example/svc:1.9.0").reason,
            "2nd newest of registry.example/svc in scheme <number>.<number>.<number>; the newest 2 "
            "are kept because the repository is in use (keep.lastPerRepository)");
}

// Built on the node one after the other, and the last one is deployed: none is a newer version of
// another.
TEST_F(Ranks, ReplaceLocalBuildsOnlyByGreaterVersions) {
  policy.keep.local_only = LocalOnly::kUnlessSuperseded;
  policy.keep.last_per_repository = 1;
  for (const char* tag : {"myshop:backend", "myshop:frontend", "tools:debian-12", "tools:alpine-3",
                          "api:v2", "api:latest", "api:77c01de", "api:3f2a9bc"})
    Built(tag);
  builder.Use("myshop:frontend").Use("api:3f2a9bc");
  for (const char* tag : {"myshop:backend", "tools:debian-12", "tools:alpine-3", "api:v2",
                          "api:latest", "api:77c01de"})
    EXPECT_EQ(CodeOf(tag), Code::kLocalOnly) << tag;
  Built("api:v3");
  EXPECT_EQ(CodeOf("api:v2"), Code::kSuperseded);
  EXPECT_EQ(CodeOf("api:v3"), Code::kLocalOnly);
  policy.keep.local_only = LocalOnly::kNever;
  EXPECT_EQ(CodeOf("api:77c01de"), Code::kRetained) << "first seen alone tells nothing of it";
}

TEST_F(Ranks, ReplaceNoLocalBuildOfAnotherKind) {
  policy.keep.local_only = LocalOnly::kUnlessSuperseded;
  policy.keep.last_per_repository = 1;
  const std::pair<const char*, const char*> newer_and_other_kind[] = {
      {"app:1.4.0", "app:1.4.0-dev"},       {"tool:v4-linux-amd64", "tool:v3-linux-arm64"},
      {"report:12-2024", "report:01-2025"}, {"log:31-12-24", "log:02-01-25"},
      {"base:cuda-12", "base:cuda-11"},     {"ci:proj-1300", "ci:proj-1234"}};
  for (const auto& [newer, other] : newer_and_other_kind) {
    Built(newer);
    Built(other);
  }
  for (const auto& [newer, other] : newer_and_other_kind)
    EXPECT_EQ(CodeOf(other), Code::kLocalOnly) << other;
  Built("app:1.5.0-dev");
  Built("tool:v5-linux-arm64");
  EXPECT_EQ(CodeOf("app:1.4.0-dev"), Code::kSuperseded);
  EXPECT_EQ(CodeOf("tool:v3-linux-arm64"), Code::kSuperseded);
  EXPECT_EQ(CodeOf("tool:v4-linux-amd64"), Code::kLocalOnly);
}

// A user may know it by that word only, and it cannot be pulled again. "latest" has no meaning.
TEST_F(Ranks, KeepALocalBuildWhoseOtherTagHasNoSuccessor) {
  policy.keep.local_only = LocalOnly::kUnlessSuperseded;
  policy.keep.last_per_repository = 1;
  const auto built = [&](const char* version, const char* word) {
    Image image = Img(version, {version, word});
    image.digests.clear();
    image.origin = {};
    Add(std::move(image));
  };
  built("api:v1", "api:prod");
  built("web:v1", "web:latest");
  Built("api:v2");
  Built("web:v2");
  EXPECT_EQ(CodeOf("api:v1"), Code::kLocalOnly);
  EXPECT_EQ(CodeOf("web:v1"), Code::kSuperseded);
}

// An image that may be removed in the same run does not replace an image that cannot be pulled
// again.
TEST_F(Ranks, DoNotReplaceALocalBuildByARemovableImage) {
  policy.keep.local_only = LocalOnly::kUnlessSuperseded;
  policy.keep.last_per_repository = 1;
  Built("api:v2");
  Pulled({"api:v3"});
  EXPECT_EQ(CodeOf("api:v2"), Code::kLocalOnly);
  builder.Use("api:v3");
  EXPECT_EQ(CodeOf("api:v2"), Code::kSuperseded);
}

// kind loads images with a digest in a repository that kind makes up.
TEST_F(Ranks, IgnoreMadeUpRepositoriesOfLocalBuilds) {
  policy.keep.local_only = LocalOnly::kUnlessSuperseded;
  policy.keep.last_per_repository = 1;
  for (const char* tag : {"api:v2", "api:v3"}) {
    Built(tag);
    seen().images.back().digests = {ImageName::Parse("import-2026-11-20@" + Id(tag))};
  }
  ASSERT_TRUE(seen().images[ImagePos(0)].local_only());
  EXPECT_EQ(CodeOf("api:v2"), Code::kSuperseded);
  EXPECT_EQ(CodeOf("api:v3"), Code::kLocalOnly);
}

TEST_F(Ranks, AnImageTakesPartInEverySchemeOfItsTags) {
  policy.keep.last_per_repository = 1;
  Pulled({"app:v1", "app:build-9"});
  Pulled({"app:v2", "app:build-8"});
  EXPECT_EQ(CodeOf("app:v1"), Code::kIdle) << "the newest build";
  EXPECT_EQ(CodeOf("app:v2"), Code::kIdle) << "the newest version";
  Pulled({"app:build-10"});
  EXPECT_EQ(CodeOf("app:v1"), Code::kSuperseded);
  EXPECT_EQ(Of("app:v1").superseded_by, "docker.io/library/app:v2");
}

TEST_F(Ranks, APreReleaseTakesNoPlaceOfARelease) {
  policy.keep.last_per_repository = 1;
  for (const char* tag : {"app:1.0.0", "app:1.1.0-rc.1", "app:1.1.0-rc.2"}) Pulled({tag});
  EXPECT_EQ(CodeOf("app:1.0.0"), Code::kIdle);
  EXPECT_EQ(CodeOf("app:1.1.0-rc.1"), Code::kSuperseded);
  EXPECT_EQ(CodeOf("app:1.1.0-rc.2"), Code::kIdle);
  Pulled({"app:1.1.0"});
  EXPECT_EQ(CodeOf("app:1.1.0-rc.2"), Code::kSuperseded);
  EXPECT_EQ(Of("app:1.1.0-rc.1").superseded_by, "docker.io/library/app:1.1.0");
}

// After a rollback, the image in use counts as one of the newest, but does not replace a greater
// version.
TEST_F(Ranks, DoNotSupersedeGreaterVersionsByAnOlderOneInUse) {
  policy.keep.last_per_repository = 1;
  for (const char* tag : {"app:v2", "app:v9", "app:v10"}) Pulled({tag});
  builder.Use("app:v2");
  EXPECT_EQ(CodeOf("app:v10"), Code::kIdle);
  EXPECT_EQ(CodeOf("app:v9"), Code::kSuperseded);
  EXPECT_EQ(Of("app:v9").superseded_by, "docker.io/library/app:v10");
}

TEST_F(Ranks, SignaturesAttestationsAndSbomsFollowTheirImage) {
  policy.keep.last_per_repository = 1;
  policy.maximum_age = hours(1);
  policy.disk = {{1, 1}, {0, 0}, {1, Millis(0)}};
  Pulled({"app:v1"});
  Pulled({"app:v2"});
  std::string subject = seen().images[ImagePos(1)].digests[0].text();
  subject = subject.substr(subject.find('@') + 1);
  std::ranges::replace(subject, ':', '-');
  const std::vector<std::string> endings = {"", ".sig", ".att", ".sbom"};
  for (const std::string& ending : endings) Pulled({"app:" + subject + ending});
  builder.Use("app:v2").Disk(1000, 1);
  EXPECT_EQ(CodeOf("app:v1"), Code::kSuperseded);
  EXPECT_EQ(Of("app:v1").superseded_by, "docker.io/library/app:v2");
  for (const std::string& ending : endings)
    EXPECT_EQ(CodeOf("app:" + subject + ending), Code::kRetained) << ending;
  EXPECT_EQ(Of("app:" + subject).reason,
            "signature, attestation or SBOM of docker.io/library/app:v2, which is on this node");
  seen().references.clear();
  seen().images.erase(seen().images.begin() + 1);
  seen().ages.erase(seen().ages.begin() + 1);
  for (const std::string& ending : endings)
    EXPECT_EQ(CodeOf("app:" + subject + ending), Code::kAge) << ending;
  EXPECT_EQ(CodeOf("app:v1"), Code::kAge) << "no signature replaces it";
}

// The clock jumped back before the newest image arrived: by its times, the newest is the oldest.
TEST_F(Ranks, RankNothingByTimeAfterTheClockJumpedBack) {
  policy.keep.last_per_repository = 1;
  for (const char* tag : {"app:abcdef1", "app:abcdef2", "app:abcdef3"}) Pulled({tag});
  seen().ages[ImagePos(2)].first_seen = SystemTime(Millis(1));
  for (const char* tag : {"app:abcdef1", "app:abcdef2", "app:abcdef3"})
    EXPECT_EQ(CodeOf(tag), Code::kIdle) << tag;
  seen().ages[ImagePos(2)].first_seen = SystemTime(hours(3));
  EXPECT_EQ(CodeOf("app:abcdef2"), Code::kSuperseded);
  seen().ages[ImagePos(0)].first_seen = seen().at + hours(1);
  for (const char* tag : {"app:abcdef1", "app:abcdef2", "app:abcdef3"})
    EXPECT_EQ(CodeOf(tag), Code::kIdle) << tag << ", one of them from the future";
}

// Pinned by tag and digest, beside a tag that others use.
TEST_F(Ranks, DoNotCallAnImagePulledByDigestDangling) {
  policy.maximum_age = hours(336);
  PulledByDigest("pinned", "registry.example/mirror/exporter");
  PulledByDigest("alone", "registry.example/other");
  PulledByDigest("host", "registry.example");  // CRI-O cuts the name at the colon of the port
  Pulled({"registry.example/mirror/exporter:1.8.2"});
  builder.Use("registry.example/mirror/exporter:1.8.2");
  for (ImageAge& age : seen().ages) age.unused_for = hours(335);
  plan = MakePlan(policy, seen());
  for (const ImagePos at : ImagesAt(0, 1, 2))
    EXPECT_EQ(plan.decisions[at].code, Code::kIdle) << plan.decisions[at].reason;
  for (ImageAge& age : seen().ages) age.unused_for = hours(337);
  plan = MakePlan(policy, seen());
  for (const ImagePos at : ImagesAt(0, 1, 2)) EXPECT_EQ(plan.decisions[at].code, Code::kAge);
}

TEST_F(Ranks, CallAnImageDanglingWhenItLostItsTag) {
  PulledByDigest("old", "registry.example/app");
  Pulled({"registry.example/app:latest"});
  seen().ages[ImagePos(0)].lost_tag = true;
  builder.Use("registry.example/app:latest");
  plan = MakePlan(policy, seen());
  EXPECT_EQ(plan.decisions[ImagePos(0)].code, Code::kDangling);
  EXPECT_THAT(plan.decisions[ImagePos(0)].reason, HasSubstr("registry.example/app:latest"));
  policy.remove_dangling = false;
  EXPECT_EQ(MakePlan(policy, seen()).decisions[ImagePos(0)].code, Code::kIdle);
}

// By digest and by tag: the tag takes no place of the digests.
TEST_F(Ranks, CountDigestsApartFromTagsWhenADigestIsInUse) {
  policy.maximum_age = hours(1);
  for (const char* word : {"a", "b", "c"}) PulledByDigest(word, "registry.example/app");
  Pulled({"registry.example/app:v9"});
  builder.Use(seen().images[ImagePos(2)].digests[0].text());
  plan = MakePlan(policy, seen());
  EXPECT_EQ(plan.decisions[ImagePos(0)].code, Code::kAge);
  EXPECT_EQ(plan.decisions[ImagePos(1)].code, Code::kRetained);
  EXPECT_EQ(plan.decisions[ImagePos(2)].code, Code::kInUse);
  EXPECT_EQ(plan.decisions[ImagePos(3)].code, Code::kRetained);
}

// A rule that removes builds keeps as many as images that are not in use take.
TEST_F(Ranks, CountImagesInUseAmongTheNewestUnderARemoveRule) {
  Rule rule;
  rule.name = "builds";
  rule.selector.tags = {"build-*"};
  rule.action = RuleAction::kRemove;
  policy.rules = {rule};
  for (const char* tag : {"app:build-1", "app:build-2", "app:v1", "app:v2"}) Pulled({tag});
  builder.Use("app:v1");
  EXPECT_EQ(CodeOf("app:build-2"), Code::kRetained);
  EXPECT_EQ(CodeOf("app:build-1"), Code::kRule);
  builder.Use("app:v2");
  EXPECT_EQ(CodeOf("app:build-2"), Code::kRule);
}

}  // namespace
}  // namespace imagesweep
