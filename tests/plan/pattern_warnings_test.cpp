#include "agent/plan/pattern_warnings.h"

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
              ElementsAre("keep.images: \"shop/**\" matches no image of this node: without a "
                          "registry it means docker.io/shop/**; for registry.example/shop/api:1 "
                          "write \"*/shop/**\""));
  EXPECT_THAT(Keep({"team/**"}),
              ElementsAre(testing::EndsWith("for team.example/tool:1 write \"team.*/**\"")));
  EXPECT_THAT(Keep({"nginx:1"}),
              ElementsAre(testing::EndsWith(
                  "for mirror.example/library/nginx:1 write \"*/library/nginx:1\"")));
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
  EXPECT_THAT(Keep({"shop/**", "shop/*", "shop/api", "shop/web", "shop/a*", "shop/w*"}), SizeIs(5));
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
