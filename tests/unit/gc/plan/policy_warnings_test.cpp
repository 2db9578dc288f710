#include "agent/gc/plan/policy_warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/observation.h"

namespace imagesweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

std::vector<ImageGlob> Globs(std::initializer_list<const char*> texts) {
  std::vector<ImageGlob> globs;
  for (const char* text : texts) globs.push_back(*ImageGlob::Parse(text));
  return globs;
}

struct PatternWarningsTest : testing::Test {
  PatternWarningsTest() {
    seen.Add(Img("b", {"registry.example/shop/web:1"}))
        .Add(Img("a", {"registry.example/shop/api:1"}))
        .Add(Img("c", {"team.example/tool:1"}))
        .Add(Img("d", {"mirror.example/library/nginx:1"}))
        .Add(Img("e", {"redis:7.2"}));
  }
  std::vector<std::string> Keep(std::initializer_list<const char*> texts) {
    Policy policy;
    policy.keep.images = Globs(texts);
    return PatternWarnings(policy, seen.seen());
  }
  ObservationBuilder seen;
};

TEST_F(PatternWarningsTest, NameTheImageThatWasProbablyMeantAndThePatternForIt) {
  EXPECT_THAT(Keep({"shop/**"}),
              ElementsAre("keep.images: \"shop/**\" matches no image on this node: without a "
                          "registry it means docker.io/shop/**; to match "
                          "registry.example/shop/api:1, write \"*/shop/**\""));
  EXPECT_THAT(Keep({"team/**"}),
              ElementsAre(testing::EndsWith("to match team.example/tool:1, write \"team.*/**\"")));
}

// In rules that remove, it means docker.io only.
TEST_F(PatternWarningsTest, WarnOfNamesOfOtherRegistriesOnlyInRulesThatRemove) {
  EXPECT_THAT(Keep({"nginx:1"}), IsEmpty());
  Policy policy;
  Rule rule;
  rule.name = "old";
  rule.action = RuleAction::kRemove;
  rule.selector.images = Globs({"nginx:1"});
  policy.rules = {rule};
  EXPECT_THAT(PatternWarnings(policy, seen.seen()),
              ElementsAre(testing::EndsWith(
                  "to match mirror.example/library/nginx:1, write \"*/library/nginx:1\"")));
}

TEST_F(PatternWarningsTest, NameAnImageThatTheWiderFormWouldKeep) {
  EXPECT_THAT(Keep({"registry.example/*"}),
              ElementsAre("keep.images: \"registry.example/*\" does not match "
                          "registry.example/shop/api:1: * matches within one path segment; to keep "
                          "it, write \"registry.example/**\""));
  EXPECT_THAT(Keep({"*"}),
              ElementsAre("keep.images: \"*\" does not match mirror.example/library/nginx:1: * "
                          "matches within one path segment, and without a registry it means "
                          "docker.io/library/*; to keep it, write \"**\""));
  EXPECT_THAT(Keep({"*/api"}), ElementsAre(testing::EndsWith("write \"**/api\"")));
  EXPECT_THAT(Keep({"*/*:1"}), ElementsAre(testing::EndsWith("write \"*/**:1\"")));
  EXPECT_THAT(Keep({"registry.example/*", "registry.example/shop/*"}), IsEmpty())
      << "the other keeps them";
  EXPECT_THAT(Keep({"team.example/*"}), IsEmpty()) << "nothing lies deeper";
}

TEST_F(PatternWarningsTest, AreForRulesThatKeepAsForKeepImages) {
  Policy policy;
  Rule rule;
  rule.name = "base";
  rule.selector.images = Globs({"registry.example/*"});
  rule.action = RuleAction::kKeep;
  policy.rules = {rule};
  EXPECT_THAT(PatternWarnings(policy, seen.seen()),
              ElementsAre(StartsWith("rule \"base\": \"registry.example/*\" does not match")));
  policy.rules[0].action = RuleAction::kRemove;
  EXPECT_THAT(PatternWarnings(policy, seen.seen()), IsEmpty()) << "it removes less";
}

TEST_F(PatternWarningsTest, KnowAShortenedId) {
  Image image = Img("f", {"team.example/x:1"});
  image.id = ImageId("sha256:29a9d1f50347" + std::string(52, '0'));
  seen.Add(image);
  EXPECT_THAT(Keep({"29a9d1f5"}),
              ElementsAre("keep.images: \"29a9d1f5\" matches no image on this node: it means "
                          "docker.io/library/29a9d1f5; to match the image with this ID, write "
                          "\"sha256:29a9d1f50347\""));
}

TEST(PatternShapeWarnings, AreForStarsThatSeemToMeanEverything) {
  const auto keep = [](std::initializer_list<const char*> texts) {
    Policy policy;
    policy.keep.images = Globs(texts);
    return PatternWarnings(policy);
  };
  EXPECT_THAT(keep({"*"}),
              ElementsAre("keep.images: \"*\" matches only docker.io/library/* and no image "
                          "of another registry; to match every image, write \"**\""));
  EXPECT_THAT(
      keep({"ghcr.io/*"}),
      ElementsAre("keep.images: \"ghcr.io/*\" does not match ghcr.io/team/app, because * matches "
                  "within one path segment; to match the whole registry, write \"ghcr.io/**\""));
  EXPECT_THAT(keep({"**", "ghcr.io/**", "ghcr.io/team/*", "*/shop/*", "shop/*", "nginx",
                    "library/*", "localhost/**", "sha256:0123456789ab"}),
              IsEmpty());
}

TEST_F(PatternWarningsTest, AreForLikelyMistakesAlone) {
  for (const char* fine :
       {"redis", "redis:7.*", "absent", "absent/**", "*/absent/*", "registry.example/gone/**",
        "localhost/**", "docker.io/shop/**", "sha256:0123456789ab", "nginx:2", "**"})
    EXPECT_THAT(Keep({fine}), IsEmpty()) << fine;
}

TEST_F(PatternWarningsTest, AreForRulesTooAndFew) {
  Policy policy;
  Rule rule;
  rule.name = "old";
  rule.selector.images = Globs({"shop/api"});
  policy.rules = {rule};
  EXPECT_THAT(PatternWarnings(policy, seen.seen()),
              ElementsAre(StartsWith("rule \"old\": \"shop/api\" matches no image")));
  EXPECT_THAT(Keep({"shop/**", "shop/*", "shop/a*", "shop/ap*", "shop/w*", "shop/we*"}), SizeIs(5));
}

TEST_F(PatternWarningsTest, AreGivenUpBeforeTheyTakeLong) {
  const Image other = Img("x", {"registry.example/other:1"});
  for (int i = 0; i < 1000; ++i) seen.Add(other);
  Policy policy;
  for (int i = 0; i < 200; ++i)
    policy.keep.images.push_back(*ImageGlob::Parse("absent/a" + std::to_string(i)));
  policy.keep.images.push_back(*ImageGlob::Parse("shop/**"));
  EXPECT_THAT(PatternWarnings(policy, seen.seen()), IsEmpty());
  std::swap(policy.keep.images.front(), policy.keep.images.back());
  EXPECT_THAT(PatternWarnings(policy, seen.seen()), SizeIs(1));
}

}  // namespace
}  // namespace imagesweep
