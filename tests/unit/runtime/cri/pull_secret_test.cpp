#include "agent/runtime/cri/pull_secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imagesweep::cri {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::Not;

// The username of every entry is its number in `keys`.
PullSecret SecretFor(const std::vector<std::string>& keys) {
  std::string text = R"({"auths":{)";
  for (std::size_t at = 0; at < keys.size(); ++at)
    text += (at == 0 ? "\"" : ",\"") + keys[at] + R"(":{"username":")" + std::to_string(at) +
            R"(","password":"x"})";
  auto secret = PullSecret::Parse(text + "}}");
  EXPECT_TRUE(secret) << secret.error().what;
  return *std::move(secret);
}

std::vector<std::string> Users(const std::vector<Credential>& credentials) {
  std::vector<std::string> users;
  for (const Credential& one : credentials) users.push_back(one.username);
  return users;
}

// The cases of the kubelet's keyring_test.go, and the names of Docker Hub.
TEST(PullSecret, PicksEntriesAsTheKubeletDoes) {
  const struct {
    std::vector<std::string> keys;
    std::string repository;
    std::vector<std::string> users;
  } rows[] = {
      {{"r.example"}, "r.example/app", {"0"}},
      {{"r.example"}, "other.example/app", {}},
      {{"r.example"}, "r.example:5000/app", {}},
      {{"r.example:5000"}, "r.example:5000/app", {"0"}},
      {{"https://r.example"}, "r.example/app", {"0"}},
      {{"http://r.example/v1/"}, "r.example/app", {"0"}},
      {{"r.example/v2/"}, "r.example/app", {"0"}},
      {{"r.example/v2/team"}, "r.example/team/app", {"0"}},
      {{"*.example"}, "r.example/app", {"0"}},
      {{"*.example"}, "a.r.example/app", {}},
      {{"*.example"}, "example/app", {}},
      {{"*.r.example"}, "r.example/app", {}},
      {{"*.*.example"}, "a.r.example/app", {"0"}},
      {{"eu-*.r.example"}, "eu-1.r.example/app", {"0"}},
      {{"eu-*.r.example"}, "us-1.r.example/app", {}},
      {{"r.example/team"}, "r.example/team/app", {"0"}},
      {{"r.example/team"}, "r.example/other/app", {}},
      {{"r.example", "r.example/team"}, "r.example/team/app", {"1", "0"}},
      {{"https://index.docker.io/v1/"}, "docker.io/library/nginx", {"0"}},
      {{"docker.io"}, "docker.io/library/nginx", {"0"}},
      {{"registry-1.docker.io"}, "docker.io/team/app", {"0"}},
      {{}, "r.example/app", {}},
  };
  for (const auto& row : rows)
    EXPECT_THAT(Users(SecretFor(row.keys).For(row.repository)), ElementsAreArray(row.users))
        << testing::PrintToString(row.keys) << " for " << row.repository;
}

TEST(PullSecret, ReadsEachKindOfCredential) {
  const auto secret = PullSecret::Parse(R"({"auths": {
      "a.example": {"auth": "bmFtZTpwYTpzcw=="},
      "b.example": {"username": "u", "password": "p"},
      "c.example": {"identitytoken": "t"}}, "credsStore": "pass"})");
  ASSERT_TRUE(secret) << secret.error().what;
  const auto a = secret->For("a.example/x"), b = secret->For("b.example/x"),
             c = secret->For("c.example/x");
  ASSERT_EQ(a.size() + b.size() + c.size(), 3U);
  EXPECT_EQ(a[0].username, "name");
  EXPECT_EQ(a[0].password, "pa:ss");
  EXPECT_EQ(b[0].username, "u");
  EXPECT_EQ(b[0].password, "p");
  EXPECT_EQ(c[0].identity_token, "t");
}

TEST(PullSecret, ReportsAnErrorWithoutTheSecret) {
  const struct {
    const char* text;
    const char* says;
  } rows[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {R"({"auths": []})", "\"auths\" is missing"},
      {R"({"auths": {"r.example": "s3cret"}})", "\"r.example\": not a JSON object"},
      {R"({"auths": {"r.example": {}}})", "are all missing"},
      {R"({"auths": {"r.example": {"auth": "s3cret!"}}})", "auth is not the base64"},
      {R"({"auths": {"r.example": {"auth": 1}}})", "auth is not a string"},
  };
  for (const auto& row : rows) {
    const auto secret = PullSecret::Parse(row.text);
    ASSERT_FALSE(secret) << row.text;
    EXPECT_EQ(secret.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(secret.error().what, HasSubstr(row.says));
    EXPECT_THAT(secret.error().what, Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace imagesweep::cri
