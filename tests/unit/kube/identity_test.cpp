#include "agent/kube/client/identity.h"

#include <gmock/gmock.h>

#include <map>

#include "tests/support/fake_clock.h"

namespace imagesweep::kube {
namespace {

using testing::HasSubstr;

const std::string kMounted = "/var/run/secrets/kubernetes.io/serviceaccount/";

struct Pod {
  std::map<std::string, std::string> env = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"},
                                            {"KUBERNETES_SERVICE_PORT", "443"}};
  std::map<std::string, std::string> files = {{kMounted + "ca.crt", "CA"},
                                              {kMounted + "token", "secret\n"}};
  int reads = 0;
  ReadEnv Env() {
    return [this](const char* name) { return env[name]; };
  }
  ReadFile Files() {
    return [this](const std::string& path) -> Result<std::string> {
      ++reads;
      const auto file = files.find(path);
      if (file == files.end()) return Error{ErrorKind::kNotFound, "cannot read " + path};
      return file->second;
    };
  }
};

TEST(InClusterTest, ReadsTheServiceAccount) {
  Pod pod;
  const auto server = InCluster(pod.Env(), pod.Files());
  ASSERT_TRUE(server) << server.error().what;
  EXPECT_EQ(server->url, "https://10.0.0.1:443");
  EXPECT_EQ(server->ca, "CA");
  EXPECT_EQ(server->token, "secret");
  pod.env["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  EXPECT_EQ(InCluster(pod.Env(), pod.Files())->url, "https://[fd00::1]:443");
}

TEST(InClusterTest, FailsWithoutEachPartOfTheServiceAccount) {
  const struct {
    const char* why;
    std::function<void(Pod&)> spoil;
    const char* says;
  } cases[] = {
      {"outside", [](Pod& p) { p.env.clear(); }, "not inside a cluster"},
      {"no port", [](Pod& p) { p.env["KUBERNETES_SERVICE_PORT"] = ""; }, "not inside a cluster"},
      {"no CA", [](Pod& p) { p.files.erase(kMounted + "ca.crt"); }, "ca.crt"},
      {"no token", [](Pod& p) { p.files.erase(kMounted + "token"); }, "token"},
      {"empty token", [](Pod& p) { p.files[kMounted + "token"] = "\n"; }, "is empty"},
      {"a token of two lines", [](Pod& p) { p.files[kMounted + "token"] = "a\r\nX: y"; },
       "does not contain a token"},
  };
  for (const auto& [why, spoil, says] : cases) {
    Pod pod;
    spoil(pod);
    const auto server = InCluster(pod.Env(), pod.Files());
    ASSERT_FALSE(server) << why;
    EXPECT_THAT(server.error().what, HasSubstr(says)) << why;
  }
}

struct TokenTest : testing::Test {
  FakeClock clock;
  Pod pod;
  ApiServer server = *InCluster(pod.Env(), pod.Files());
  TokenSource source{server, pod.Files(), clock};
  std::string& file = pod.files[kMounted + "token"];
};

// A01
TEST_F(TokenTest, IsReadAgainAfterFiftySeconds) {
  EXPECT_EQ(source.Current(), "secret");
  file = "swapped";
  clock.Advance(std::chrono::milliseconds(49'999));
  EXPECT_EQ(source.Current(), "secret");
  clock.Advance(std::chrono::milliseconds(1));
  EXPECT_EQ(source.Current(), "swapped");
}

// A01
TEST_F(TokenTest, IsReadAgainAtOnceWhenRefused) {
  EXPECT_EQ(source.Current(), "secret");
  EXPECT_FALSE(source.Refused("secret")) << "the file holds the same one";
  file = "swapped";
  EXPECT_TRUE(source.Refused("secret"));
  EXPECT_EQ(source.Current(), "swapped");
  const int before = pod.reads;
  EXPECT_TRUE(source.Refused("secret")) << "a slower request with the old one";
  EXPECT_EQ(pod.reads, before);
}

// A01: client-go keeps the old token too.
TEST_F(TokenTest, StaysWhenTheFileCannotBeRead) {
  EXPECT_EQ(source.Current(), "secret");
  for (const char* broken : {"", "\n", "two words"}) {
    file = broken;
    clock.Advance(std::chrono::minutes(1));
    EXPECT_EQ(source.Current(), "secret") << broken;
    EXPECT_FALSE(source.Refused("secret")) << broken;
  }
  pod.files.clear();
  clock.Advance(std::chrono::minutes(1));
  EXPECT_EQ(source.Current(), "secret");
}

TEST(TokenSourceTest, AFixedTokenIsNeverRead) {
  const FakeClock clock;
  Pod pod;
  ApiServer server;
  server.token = "fixed";
  TokenSource source(server, pod.Files(), clock);
  EXPECT_EQ(source.Current(), "fixed");
  EXPECT_FALSE(source.Refused("fixed"));
  EXPECT_EQ(pod.reads, 0);
}

}  // namespace
}  // namespace imagesweep::kube
