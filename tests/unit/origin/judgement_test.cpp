#include <gtest/gtest.h>

#include "agent/gc/observe/origins.h"
#include "agent/gc/plan/planner.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

Image With(std::initializer_list<std::string_view> tags,
           std::initializer_list<std::string_view> repositories) {
  Image image;
  image.id = ImageId(Id("judged"));
  for (const auto tag : tags) image.tags.push_back(ImageName::Parse(tag));
  for (const auto repository : repositories)
    image.digests.push_back(ImageName::Parse(std::string(repository) + "@" + kDigest));
  return image;
}

OriginProof Proof(const std::string& repository) {
  return {repository, repository + "@" + kDigest, "seen to be pulled from " + repository};
}

TEST(Judgement, DoesNotAcceptARepoDigestAsEvidence) {
  const Origin origin = JudgeOrigin(With({"shop.example/app:v1"}, {"shop.example/app"}), {}, "why");
  EXPECT_EQ(origin,
            (Origin{OriginKind::kUnknown, "a repo digest alone is not evidence, and why", {}}));
}

TEST(Judgement, IsLocalWithoutARepoDigest) {
  EXPECT_EQ(JudgeOrigin(With({"app:v1"}, {}), {}, "why").kind, OriginKind::kLocal);
}

TEST(Judgement, AProofForTheRepositoryOfItsTagIsEnough) {
  const std::vector<OriginProof> proofs{Proof("shop.example/app")};
  const Origin origin =
      JudgeOrigin(With({"shop.example/app:v1"}, {"docker.io/library/overlayfs"}), proofs, "why");
  EXPECT_EQ(origin, (Origin{OriginKind::kPulled, "seen to be pulled from shop.example/app",
                            "shop.example/app@" + kDigest}));
}

TEST(Judgement, AProofCountsAlsoWhereNoNameIsLeft) {
  const std::vector<OriginProof> proofs{Proof("shop.example/app")};
  EXPECT_EQ(JudgeOrigin(With({}, {}), proofs, "").kind, OriginKind::kPulled);
}

// `ctr images tag` and `docker tag`: a name that only this node has would be lost.
TEST(Judgement, ATagOfARepositoryWithoutProofMakesItUnknown) {
  const std::vector<OriginProof> proofs{Proof("shop.example/app")};
  const Origin origin = JudgeOrigin(With({"shop.example/app:v1", "golden/app:v1"}, {}), proofs, "");
  EXPECT_EQ(origin.kind, OriginKind::kUnknown);
  EXPECT_EQ(origin.evidence,
            "no evidence for its name docker.io/golden/app:v1, only for shop.example/app");
}

// An import with --digests, and records of snapshotters and builders.
TEST(Judgement, IgnoresNamesMadeUpByImportsAndBuilders) {
  for (const char* made_up : {"import-2026-11-20", "overlayfs", "stargz", "moby-dangling"})
    EXPECT_TRUE(With({"docker.io/team/airgap:2.7.1"}, {made_up}).local_only()) << made_up;
}

struct Broken final : OriginSource {
  Result<OriginFindings> Find(std::span<const Image>, const RuntimeIdentity&,
                              const std::stop_token&) override {
    return Error{ErrorKind::kUnavailable, "no answer"};
  }
};
struct Knows final : OriginSource {
  Result<OriginFindings> Find(std::span<const Image> images, const RuntimeIdentity&,
                              const std::stop_token&) override {
    OriginFindings found;
    found.proofs.resize(images.size());
    found.proofs.at(0).push_back(Proof("shop.example/app"));
    return found;
  }
};

TEST(OriginJudge, ASourceThatFailsIsAWarningAndTheOthersStillCount) {
  Broken broken;
  Knows knows;
  std::vector<Image> images{With({"shop.example/app:v1"}, {"shop.example/app"}),
                            With({"shop.example/app:v2"}, {"shop.example/app"})};
  const auto warnings = OriginJudge({&broken, &knows}).Fill(images, {}, {});
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_TRUE(warnings[0].ends_with("no answer")) << warnings[0];
  EXPECT_EQ(images[0].origin.kind, OriginKind::kPulled);
  EXPECT_EQ(images[1].origin.kind, OriginKind::kUnknown);
}

TEST(OriginJudge, ForgetsEvidenceOfAnEarlierRead) {
  std::vector<Image> images{Img("a", {"shop.example/app:v1"})};
  ASSERT_TRUE(images[0].origin.can_be_pulled());
  OriginJudge({}).Fill(images, {}, {});
  EXPECT_FALSE(images[0].origin.can_be_pulled());
}

Policy Aging() {
  Policy policy = Policy::Default();
  policy.maximum_age = Millis(1);
  policy.limits.max_percent_of_images = 100;
  return policy;
}

Decision Of(const Policy& policy, const Image& image) {
  return MakePlan(policy, ObservationBuilder().Add(image).seen()).decisions[ImagePos(0)];
}

TEST(LocalOnlyRule, TheReasonSaysWhichEvidenceIsMissing) {
  Image image = Img("a", {"shop.example/app:v1"});
  image.origin = {OriginKind::kUnknown, "nobody saw a pull", {}};
  const Decision decision = Of(Aging(), image);
  EXPECT_EQ(decision.code, Code::kLocalOnly);
  EXPECT_EQ(decision.reason,
            "no evidence that it can be pulled again: nobody saw a pull (keep.localOnly: Always)");
}

// Each name is checked by its own rule, and the strictest result counts.
TEST(LocalOnlyRule, HoldsInPlaceOfThePolicysForTheNamesThatItSelects) {
  Policy policy = Aging();
  Rule rule;
  rule.name = "scratch";
  rule.selector.images.push_back(*ImageGlob::Parse("shop.example/scratch"));
  rule.local_only = LocalOnly::kNever;
  policy.rules.push_back(rule);
  Image scratch = Img("a", {"shop.example/scratch:v1"}), both = scratch, other = scratch;
  other.tags = {ImageName::Parse("shop.example/app:v1")};
  both.tags.push_back(other.tags[0]);
  for (Image* image : {&scratch, &both, &other}) MakeLocal(*image);
  EXPECT_EQ(Of(policy, scratch).code, Code::kAge);
  EXPECT_EQ(Of(policy, both).code, Code::kLocalOnly);
  EXPECT_EQ(Of(policy, other).code, Code::kLocalOnly);
  policy.keep.local_only = LocalOnly::kNever;
  policy.rules[0].local_only = LocalOnly::kAlways;
  const Decision kept = Of(policy, scratch);
  EXPECT_EQ(kept.code, Code::kLocalOnly);
  EXPECT_TRUE(kept.reason.ends_with("(rule \"scratch\", localOnly: Always)")) << kept.reason;
  EXPECT_EQ(Of(policy, both).code, Code::kLocalOnly);
  EXPECT_EQ(Of(policy, other).code, Code::kAge);
}

}  // namespace
}  // namespace imagesweep
