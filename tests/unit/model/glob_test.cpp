#include "agent/model/glob.h"

#include <gtest/gtest.h>

#include "tests/support/images.h"

namespace imagesweep {
namespace {

TEST(Glob, StarsStayInASegmentAndDoubleStarsCross) {
  struct {
    const char* pattern;
    const char* text;
    bool matches;
  } cases[] = {
      {"a*c", "abc", true},
      {"a*c", "a/c", false},
      {"a**c", "a/b/c", true},
      {"**", "", true},
      {"**", "a/b", true},
      {"*", "a/b", false},
      {"*/shop/*", "r/shop/api", true},
      {"*/shop/*", "r/x/shop/api", false},
      {"**/api", "r/x/api", true},
      {"**/api", "api", false},
      {"a?c", "abc", true},
      {"a?c", "a/c", false},
      {"*a*b", "xaxb", true},
      {"**a*/b", "qa1/a2/b", true},
      {"", "", true},
      {"", "a", false},
      {"a", "", false},
      {"v*.*", "v1.2", true},
      {"**/x/*y", "a/x/b/x/zy", true},
  };
  for (const auto& c : cases)
    EXPECT_EQ(GlobMatches(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
}

TEST(Glob, ManyStarsDoNotTakeForEver) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  EXPECT_FALSE(GlobMatches(pattern, std::string(2000, 'b')));
}

// P03: only real matches protect.
TEST(Glob, KeepPatternsProtectOnlyTrueMatches) {
  struct {
    const char* pattern;
    const char* image;
    bool matches;
  } cases[] = {
      {"localhost:5000/app:*", "localhost:5000/app:1", true},
      {"localhost:5000/app:*", "localhost:5001/app:1", false},
      {"localhost/**", "localhost:5000/app:1", false},
      {"localhost/**", "localhost/team/app:1", true},
      {"foo:*", "foo:1", true},
      {"foo:*", "foobar:1", false},
      {"redis:*", "redis-stack:7", false},
      {"redis:7.*", "redis:7.2", true},
      {"redis:7.*", "redis:6.2", false},
      {"reg/x/*", "reg/x/y:1", true},
      {"reg/x/*", "reg/x/y/z:1", false},
      {"nginx", "docker.io/library/nginx:1.25", true},
      {"nginx", "quay.io/nginx:1.25", false},
      {"*/shop/*", "quay.io/shop/api:1", true},
      {"**", "quay.io/a/b/c:1", true},
  };
  for (const auto& c : cases) {
    const auto glob = ImageGlob::Parse(c.pattern);
    ASSERT_TRUE(glob) << c.pattern;
    EXPECT_EQ(glob->Matches(Img("i", {c.image})), c.matches) << c.pattern << " on " << c.image;
  }
}

TEST(Glob, MatchesAnImageThatHasOnlyADigest) {
  Image image;
  image.id = ImageId(Id("i"));
  image.digests.push_back(ImageName::Parse("reg.io/x/y@" + Id("d")));
  for (const std::string& pattern :
       {std::string("reg.io/x/*"), std::string("reg.io/x/y:*"), "reg.io/x/y@" + Id("d"), Id("i")}) {
    const auto glob = ImageGlob::Parse(pattern);
    ASSERT_TRUE(glob) << pattern;
    EXPECT_TRUE(glob->Matches(image)) << pattern;
  }
  EXPECT_FALSE(ImageGlob::Parse("reg.io/x/y:v1")->Matches(image));
}

TEST(Glob, RejectsPatternsThatMatchNoImage) {
  for (const char* text :
       {"", " ", "a b", "app:", "app@", "/app", "app/", ":v1", "sha256:zz", "sha256:abc", "a\tb"})
    EXPECT_FALSE(ImageGlob::Parse(text)) << text;
}

// Each spelling of a registry has the same meaning as in a pod, also in a rule that removes.
TEST(Glob, ReadsARegistryAsAReferenceDoes) {
  const struct {
    const char* pattern;
    const char* image;
    bool matches;
  } cases[] = {
      {"docker.io/nginx", "nginx:1.25", true},
      {"docker.io/nginx:1.25", "nginx:1.25", true},
      {"docker.io/ngin?", "nginx:1.25", true},
      {"docker.io/**", "nginx:1.25", true},
      {"docker.io/**", "bitnami/kafka:3", true},
      {"docker.io/library/*", "nginx:1.25", true},
      {"index.docker.io/nginx", "nginx:1.25", true},
      {"index.docker.io/library/nginx", "nginx:1.25", true},
      {"index.docker.io/**", "bitnami/kafka:3", true},
      {"index.docker.io/bitnami/*", "bitnami/kafka:3", true},
      {"registry-1.docker.io/bitnami/*", "registry-1.docker.io/bitnami/kafka:3", true},
      {"registry-1.docker.io/bitnami/*", "bitnami/kafka:3", false},
      {"bitnami/*", "registry-1.docker.io/bitnami/kafka:3", false},
      {"Shop.example/api", "Shop.example/api:1", true},
      {"Shop.example/api", "shop.example/api:1", false},
      {"shop.example/api", "Shop.example/api:1", false},
  };
  for (const auto& c : cases)
    EXPECT_EQ(ImageGlob::Parse(c.pattern)->Matches(Img("i", {c.image})), c.matches)
        << c.pattern << " on " << c.image;
}

TEST(Glob, KeepsEachImageThatARuntimeMayResolveTheTextTo) {
  const struct {
    const char* pattern;
    const char* image;
    bool keeps;
  } cases[] = {
      {"registry-1.docker.io/bitnami/*", "bitnami/kafka:3", true},
      {"registry-1.docker.io/nginx", "nginx:1", true},
      {"registry.hub.docker.com/library/nginx", "nginx:1", true},
      {"docker.io/nginx", "registry-1.docker.io/library/nginx:1", true},
      {"MyRegistry.example/**", "myregistry.example/team/app:1", true},
      {"myregistry.example/**", "MyRegistry.example/team/app:1", true},
      {"myregistry.example/**", "other.example/team/app:1", false},
      // CRI-O's search registries
      {"nginx", "quay.io/nginx:1", true},
      {"team/app:1", "quay.io/team/app:1", true},
      {"team/app:1", "quay.io/x/team/app:1", true},
      {"team/app:1", "quay.io/team/app:2", false},
      {"app", "quay.io/team/my-app:1", false},
      {"docker.io/library/nginx", "quay.io/library/nginx:1", false},
      {"ngin*", "quay.io/nginx:1", false},
  };
  for (const auto& c : cases)
    EXPECT_EQ(ImageGlob::Parse(c.pattern)->Keeps(Img("i", {c.image})), c.keeps)
        << c.pattern << " on " << c.image;
}

TEST(Glob, KeepsAnImageByItsDigestInAnyRepository) {
  const Image image = Img("i", {"quay.io/app:1"});
  for (const std::string& pattern :
       {"other.example/x@" + Id("i"), "other.example/x:1@" + Id("digest-i"), Id("digest-i"),
        Id("i").substr(7), Id("i").substr(0, 7 + 12)})
    EXPECT_TRUE(ImageGlob::Parse(pattern)->Keeps(image)) << pattern;
  EXPECT_FALSE(ImageGlob::Parse("quay.io/app@" + Id("x"))->Keeps(image));
  EXPECT_FALSE(ImageGlob::Parse("other.example/x@" + Id("i"))->Matches(image))
      << "a rule that removes goes by what is written";
}

// containerd lists no digest for an image whose only record is a tag.
TEST(Glob, KeepsAnImageByTheDigestThatItWasPulledBy) {
  Image image = Img("i", {"quay.io/app:1"});
  image.digests.clear();
  EXPECT_TRUE(ImageGlob::Parse("quay.io/app@" + Id("digest-i"))->Keeps(image));
  EXPECT_FALSE(ImageGlob::Parse("quay.io/app@" + Id("x"))->Keeps(image));
}

}  // namespace
}  // namespace imagesweep
