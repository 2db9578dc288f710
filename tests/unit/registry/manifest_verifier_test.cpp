#include "agent/registry/manifest_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/images.h"

namespace imagesweep::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string HeaderOf(const HttpRequest& request, const std::string& name) {
  const auto found =
      std::ranges::find(request.headers, name, [](const auto& h) { return h.first; });
  return found == request.headers.end() ? std::string() : found->second;
}

// A registry and its token service, with the answers of distribution.
class FakeRegistry final : public HttpClient {
 public:
  std::string challenge;  // empty: no credentials needed
  std::string good_authorization = "Bearer good";
  HttpReply manifest{200, "", Id("digest"), ""};
  HttpReply token{200, "", "", R"({"token": "good"})"};
  std::map<std::string, Error> faults;  // by method
  std::vector<std::string> asked;       // "HEAD URL AUTHORIZATION"

  Result<HttpReply> Send(const HttpRequest& request, Millis, const std::stop_token&) override {
    const std::string authorization = HeaderOf(request, "Authorization");
    asked.push_back(request.method + " " + request.url +
                    (authorization.empty() ? "" : " " + authorization));
    if (const auto fault = faults.find(request.method); fault != faults.end()) return fault->second;
    if (request.method == "GET") return token;
    if (!challenge.empty() && authorization != good_authorization)
      return HttpReply{401, challenge, "", ""};
    return manifest;
  }
};

const std::string kDigest = Id("digest");

Image Pulled(const std::string& repository) {
  Image image = Img("a", {});
  image.origin = {OriginKind::kPulled, "pulled by the test", repository + "@" + kDigest};
  return image;
}

class ManifestVerifierTest : public testing::Test {
 protected:
  Result<Origin> Verify(const std::string& repository, std::vector<Login> logins = {}) {
    ManifestVerifier verifier(registry_, [logins](std::string_view) { return logins; });
    return verifier.Verify(Pulled(repository), {});
  }
  FakeRegistry registry_;
};

TEST_F(ManifestVerifierTest, AcceptsOnlyStatus200) {
  const auto origin = Verify("quay.io/team/app");
  ASSERT_TRUE(origin) << origin.error().what;
  EXPECT_EQ(origin->kind, OriginKind::kRegistry);
  EXPECT_EQ(origin->pull_by, "quay.io/team/app@" + kDigest);
  EXPECT_THAT(registry_.asked,
              ElementsAre("HEAD https://quay.io/v2/team/app/manifests/" + kDigest));
  for (const int status : {201, 202, 204, 301, 302, 307, 400, 401, 403, 404, 405, 429, 500, 503}) {
    registry_.manifest.status = status;
    EXPECT_FALSE(Verify("quay.io/team/app")) << status;
  }
}

TEST_F(ManifestVerifierTest, FailsWhenTheRegistryReturnsAnotherDigest) {
  registry_.manifest.content_digest = Id("other");
  EXPECT_FALSE(Verify("quay.io/team/app"));
  registry_.manifest.content_digest.clear();
  EXPECT_FALSE(Verify("quay.io/team/app")) << "a page of a portal is a 200, too";
  registry_.manifest.content_digest = kDigest;
  EXPECT_TRUE(Verify("quay.io/team/app"));
}

TEST_F(ManifestVerifierTest, SendsNoRequestWithoutADigest) {
  ManifestVerifier verifier(registry_, {});
  Image image = Img("a", {});
  image.origin = {OriginKind::kUnknown, "cri-o makes up repo digests", ""};
  const auto origin = verifier.Verify(image, {});
  ASSERT_FALSE(origin);
  EXPECT_THAT(origin.error().what, HasSubstr("cri-o makes up repo digests"));
  EXPECT_THAT(registry_.asked, testing::IsEmpty());
}

TEST_F(ManifestVerifierTest, EachRepositoryOfTheImageMustHaveIt) {
  Image image = Img("a", {"quay.io/team/app:1", "quay.io/team/app:2", "old.example/team/app:1"});
  image.origin = {OriginKind::kPulled, "pulled by the test", "quay.io/team/app@" + kDigest};
  ManifestVerifier verifier(registry_, {});
  EXPECT_TRUE(verifier.Verify(image, {}));
  EXPECT_THAT(registry_.asked,
              ElementsAre(HasSubstr("//quay.io/v2/"), HasSubstr("//old.example/v2/")));
}

TEST_F(ManifestVerifierTest, GoesToTheServerThatContainerdWouldGoTo) {
  const struct {
    const char* repository;
    const char* url;
  } rows[] = {
      {"docker.io/library/nginx", "https://registry-1.docker.io/v2/library/nginx/"},
      {"127.0.0.1:5000/app", "http://127.0.0.1:5000/v2/app/"},
      {"localhost:5000/app", "http://localhost:5000/v2/app/"},
      {"127.0.0.1.example.com/app", "https://127.0.0.1.example.com/v2/app/"},
      {"localhost.example.com/app", "https://localhost.example.com/v2/app/"},
      {"registry.example:5000/a/b/c", "https://registry.example:5000/v2/a/b/c/"},
  };
  for (const auto& row : rows) {
    registry_.asked.clear();
    EXPECT_TRUE(Verify(row.repository)) << row.repository;
    EXPECT_THAT(registry_.asked, ElementsAre(HasSubstr(row.url))) << row.repository;
  }
}

TEST_F(ManifestVerifierTest, GetsATokenToPullAndNothingElse) {
  registry_.challenge =
      R"(Bearer realm="https://auth.example/token",service="r.example",scope="repository:x:push,pull")";
  EXPECT_TRUE(Verify("r.example/team/app", {{"reader", "se:cret"}}));
  EXPECT_THAT(registry_.asked,
              ElementsAre(testing::StartsWith("HEAD "),
                          "GET https://auth.example/token?scope=repository%3Ateam%2Fapp%3Apull&"
                          "service=r.example Basic cmVhZGVyOnNlOmNyZXQ=",
                          testing::EndsWith(" Bearer good")));
}

TEST_F(ManifestVerifierTest, TriesEachLoginAndThenNone) {
  registry_.challenge = R"(Basic realm="lab")";
  registry_.good_authorization = "Basic Yjpi";  // b:b
  EXPECT_TRUE(Verify("r.example/app", {{"a", "a"}, {"b", "b"}}));
  const auto refused = Verify("r.example/app", {{"a", "a"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kDenied);
  EXPECT_THAT(refused.error().what, HasSubstr("--pull-secret"));
}

TEST_F(ManifestVerifierTest, CredentialsNeverGoToATokenServiceWithoutTls) {
  registry_.challenge = R"(Bearer realm="http://auth.example/token")";
  EXPECT_FALSE(Verify("r.example/app", {{"a", "a"}}));
  EXPECT_EQ(registry_.asked.size(), 1U);
}

TEST_F(ManifestVerifierTest, EveryFaultOnTheWayKeepsTheImage) {
  registry_.challenge = R"(Bearer realm="https://auth.example/token")";
  for (const char* body : {"", "{", "[]", R"({"token": 7})", R"({"token": ""})"}) {
    registry_.token.body = body;
    EXPECT_FALSE(Verify("r.example/app")) << body;
  }
  registry_.token = {500, "", "", ""};
  EXPECT_FALSE(Verify("r.example/app"));
  registry_.faults.emplace("GET", Error{ErrorKind::kDeadline, "no answer"});
  EXPECT_FALSE(Verify("r.example/app"));
  registry_.faults.emplace("HEAD", Error{ErrorKind::kUnavailable, "refused"});
  EXPECT_FALSE(Verify("r.example/app"));
}

}  // namespace
}  // namespace imagesweep::registry
