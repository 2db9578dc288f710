#include "agent/registry/http_client.h"

#include <gmock/gmock.h>

#include "agent/server/http/server.h"
#include "tests/unit/server/http/client.h"

namespace imagesweep::registry {
namespace {

constexpr std::size_t kMaxBody = std::size_t{1} << 20;

struct HttpClientTest : testing::Test {
  HttpClientTest() {
    const auto sized = [](const std::string& query) {
      return imagesweep::HttpReply{200, "text/plain", std::string(std::stoul(query), 'x')};
    };
    auto started = HttpServer::Start("127.0.0.1:" + std::to_string(port), {{"/sized", {sized}}});
    EXPECT_TRUE(started) << started.error().what;
    if (started) server = *std::move(started);
  }
  Result<HttpReply> Get(const std::string& path) {
    return client->Send({"GET", "http://127.0.0.1:" + std::to_string(port) + path, {}},
                        std::chrono::seconds(20), {});
  }

  const int port = FreePort();
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<HttpClient> client = MakeHttpClient();
};

TEST_F(HttpClientTest, ReturnsTheWholeBodyOfAnAnswer) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100'000}, kMaxBody}) {
    const auto reply = Get("/sized?" + std::to_string(size));
    ASSERT_TRUE(reply) << size << ": " << reply.error().what;
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body.size(), size);
    EXPECT_EQ(reply->body.find_first_not_of('x'), std::string::npos) << size;
  }
  EXPECT_EQ(Get("/missing")->status, 404);
}

TEST_F(HttpClientTest, RefusesABodyAboveItsLimit) {
  const auto reply = Get("/sized?" + std::to_string(kMaxBody + 1));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kIncomplete);
}

}  // namespace
}  // namespace imagesweep::registry
