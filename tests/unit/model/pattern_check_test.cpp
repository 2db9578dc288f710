#include "agent/model/pattern_check.h"

#include <gmock/gmock.h>

#include "agent/model/glob.h"
#include "tests/support/images.h"

namespace imagesweep {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

TEST(PatternCheck, RejectsPatternsThatMatchNothingWithASuggestion) {
  const struct {
    const char* pattern;
    const char* meant;
  } cases[] = {
      {"ghcr.io", "did you mean \"ghcr.io/**\" or \"docker.io/library/ghcr.io\"?"},
      {"ghcr.io:*", "did you mean \"ghcr.io/**\" or"},
      {"myregistry.example.io", "did you mean \"myregistry.example.io/**\" or"},
      {"*.example.io", "did you mean \"*.example.io/**\"?"},
      {"registry.example.com:5000", "did you mean \"registry.example.com:5000/**\" or"},
      {"host:5000", "did you mean \"host:5000/**\" or \"docker.io/library/host:5000\"?"},
      {"localhost", "did you mean \"localhost/**\"?"},
      {"localhost:5000", "did you mean \"localhost:5000/**\"?"},
      {"[fd00::1]:5000", "did you mean \"[fd00::1]:5000/**\"?"},
      {"docker.io", "did you mean \"docker.io/**\" or"},
      {"docker.io/*", "did you mean \"docker.io/**\" or \"docker.io/library/*\"?"},
      {"index.docker.io/*", "did you mean \"docker.io/**\" or \"docker.io/library/*\"?"},
      {"ghcr.io/", "did you mean \"ghcr.io/**\"?"},
      {"ghcr.io//app", "did you mean \"ghcr.io/app\"?"},
      {"/app", "did you mean \"app\"?"},
      {"redis:.*", "did you mean \"redis:*\"?"},
      {"python:3.5-al.+", "did you mean \"python:3.5-al*\"?"},
      {"app:v.*", "did you mean \"app:v*\"?"},
      {"app:prod-.*", "did you mean \"app:prod-*\"?"},
      {"app:v\\d+", "did you mean \"app:v*\"?"},
      {"app:[0-9]+", "did you mean \"app:*\"?"},
      {".*", "did you mean \"**\"?"},
      {"ghcr.io/.*", "did you mean \"ghcr.io/**\"?"},
      {"^shop/api$", "did you mean \"shop/api\"?"},
      {"nginx.*", "or \"nginx*\"?"},
      {"29a9d1f50347",
       "did you mean \"sha256:29a9d1f50347\" or \"docker.io/library/29a9d1f50347\"?"},
      {"deadbeefcafe",
       "did you mean \"sha256:deadbeefcafe\" or \"docker.io/library/deadbeefcafe\"?"},
      {"nginx@sha256:abcd", "did you mean \"nginx@sha256:abcd*\"?"},
      {"sha256:29A9D1F50347", "did you mean \"sha256:29a9d1f50347\"?"},
      {"sha256:29a9d1f50347*", "did you mean \"sha256:29a9d1f50347\"?"},
      {"registry.example.com/Shop/api", "did you mean \"registry.example.com/shop/api\"?"},
      {"Shop/api", "did you mean \"shop/api\"?"},
      {"Nginx:1.25-Alpine", "did you mean \"nginx:1.25-Alpine\"?"},
      {"https://ghcr.io/team/app", "did you mean \"ghcr.io/team/app\"?"},
      {"docker-pullable://app:1", "did you mean \"app:1\"?"},
      {"app:", "did you mean \"app\"?"},
      {"app@", "did you mean \"app\"?"},
      {"app\u00a0", "it has the invisible character U+00A0 in column 4; did you mean \"app\"?"},
      {"shop/\u200b**", "U+200B in column 6; did you mean \"shop/**\"?"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(WhyNotImagePattern(c.pattern), HasSubstr(c.meant)) << c.pattern;
    EXPECT_FALSE(ImageGlob::Parse(c.pattern)) << c.pattern;
  }
}

TEST(PatternCheck, RejectsMalformedPatternsWithoutASuggestion) {
  for (const char* pattern :
       {"", "a b", "a\tb", "app\u00a0", "(a|b)", "[a-z", "sha256:abc", "a:b/c:d", "host:port/app",
        "app-/x", "-app", "x/a..b", "app:a:b", "nginx@abcd", "@sha256:abcd"}) {
    EXPECT_NE(WhyNotImagePattern(pattern), "") << pattern;
    EXPECT_FALSE(ImageGlob::Parse(pattern)) << pattern;
  }
}

TEST(PatternCheck, AcceptsUnambiguousPatterns) {
  for (const std::string& pattern : {std::string("app"),
                                     std::string("*"),
                                     std::string("**"),
                                     std::string("*/shop/*"),
                                     std::string("localhost/**"),
                                     std::string("localhost:5000/app:*"),
                                     std::string("redis:7.*"),
                                     std::string("redis:7"),
                                     std::string("ubuntu:20240101"),
                                     std::string("minio/minio:RELEASE.*"),
                                     std::string("cafe"),
                                     std::string("29a9d1f"),
                                     std::string("deadbeefcafe:v1"),
                                     std::string("docker.io/library/deadbeefcafe"),
                                     std::string("my.app:v1"),
                                     std::string("Shop.example/api"),
                                     std::string("HOST:5000/app"),
                                     std::string("[fd00::1]:5000/x"),
                                     std::string("[::1]/x:1"),
                                     std::string("*.example.io/**"),
                                     std::string("shop.*/**"),
                                     std::string("a__b/c--d"),
                                     std::string("nginx@sha256:abcd*"),
                                     "nginx:1@" + Id("d"),
                                     Id("i"),
                                     Id("i").substr(7)})
    EXPECT_EQ(WhyNotImagePattern(pattern), "") << pattern;
}

// Every suggestion is accepted.
TEST(PatternCheck, OffersOnlyGoodPatterns) {
  for (const std::string pattern :
       {"ghcr.io", "ghcr.io/Shop/.*", "host.example:5000", "app:(a|b).*", "//", "/", "a/",
        "sha256:zz*", "^.*/shop/[^/]+$", "x:.+-.+"}) {
    std::string why = WhyNotImagePattern(pattern);
    ASSERT_NE(why, "") << pattern;
    const auto begin = why.find("did you mean ");
    if (begin == std::string::npos) continue;
    std::string_view rest = std::string_view(why).substr(begin);
    while (rest.find('"') != std::string_view::npos) {
      rest.remove_prefix(rest.find('"') + 1);
      const auto end = rest.find('"');
      EXPECT_TRUE(ImageGlob::Parse(rest.substr(0, end))) << pattern << ": " << rest;
      rest.remove_prefix(end + 1);
    }
  }
}

TEST(PatternCheck, RejectsInvalidTagPatterns) {
  const struct {
    const char* pattern;
    const char* says;
  } cases[] = {
      {"", "must not be empty"},
      {":latest", "did you mean \"latest\"?"},
      {"nginx:latest", "put patterns for image names in keep.images; did you mean \"latest\"?"},
      {"shop/*", "put patterns for image names in keep.images"},
      {"v.*", "did you mean \"v*\"?"},
      {"prod-.*", "did you mean \"prod-*\"?"},
      {".*", "did you mean \"*\"?"},
      {"v[0-9]+", "did you mean \"v*\"?"},
      {"^v1\\.2$", "did you mean \"v1.2\"?"},
      {"-x", "a tag cannot begin with a dot or a dash; * alone matches any text"},
  };
  for (const auto& c : cases)
    EXPECT_THAT(WhyNotTagPattern(c.pattern, "keep.images"), EndsWith(c.says)) << c.pattern;
  for (const char* pattern : {"latest", "v1.*", "7.*", "RELEASE.*", "prod-*", "*", "_x", "?"})
    EXPECT_EQ(WhyNotTagPattern(pattern, "keep.images"), "") << pattern;
}

}  // namespace
}  // namespace imagesweep
