#include "agent/registry/challenge.h"

#include <gtest/gtest.h>

namespace imagesweep::registry {
namespace {

TEST(ParseChallenge, ReadsBearerInAnyPlaceAndSpelling) {
  for (const char* header :
       {R"(Bearer realm="https://auth.example/token",service="registry.example",scope="a:b,c")",
        R"(bearer  Realm="https://auth.example/token", SERVICE=registry.example , scope="a:b,c")",
        R"(Basic realm="x", Bearer realm="https://auth.example/token",service="registry.example",)"
        R"(scope="a:b,c")"}) {
    const auto challenge = ParseChallenge(header);
    ASSERT_TRUE(challenge) << header;
    EXPECT_TRUE(challenge->bearer);
    EXPECT_EQ(challenge->realm, "https://auth.example/token");
    EXPECT_EQ(challenge->service, "registry.example");
    EXPECT_EQ(challenge->scope, "a:b,c");
  }
}

TEST(ParseChallenge, ReadsBasicAndQuotedPairs) {
  const auto challenge = ParseChallenge(R"(Basic realm="a \"quoted\" realm")");
  ASSERT_TRUE(challenge);
  EXPECT_FALSE(challenge->bearer);
  EXPECT_EQ(challenge->realm, R"(a "quoted" realm)");
}

TEST(ParseChallenge, RejectsMalformedHeaders) {
  for (const char* header : {"", ",", "Negotiate", "Digest realm=\"x\"", "\"", "=", "a=b", " , ,"})
    EXPECT_FALSE(ParseChallenge(header)) << header;
  EXPECT_TRUE(ParseChallenge("Bearer realm=\"not closed"));
}

}  // namespace
}  // namespace imagesweep::registry
