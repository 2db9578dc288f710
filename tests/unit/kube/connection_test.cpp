// The start of a connection: its target, and that nothing delays a stop.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/unit/kube/tls_fixture.h"

namespace imagesweep::kube {
namespace {

using testing::Lt;

// A server whose kernel accepts connections that no one reads.
class Silence {
 public:
  Silence() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    listening_ = bind(socket_, any, size) == 0 && listen(socket_, 8) == 0 &&
                 getsockname(socket_, any, &size) == 0;
    url_ = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~Silence() {
    if (held_ >= 0) close(held_);
    close(socket_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

  bool listening() const { return listening_; }
  const std::string& url() const { return url_; }
  // Waits until a client has sent data. False after ten seconds.
  bool WaitForAHello() {
    const timeval limit{10, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const int caller = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (caller < 0) return false;
    setsockopt(caller, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char byte = 0;
    held_ = caller;
    return recv(caller, &byte, 1, 0) == 1;
  }

 private:
  const int socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int held_ = -1;
  bool listening_ = false;
  std::string url_;
};

struct ConnectionTest : TlsTest {
  ApiServer AtUrl(const std::string& url) const {
    ApiServer to;
    to.url = url;
    to.ca = ca.pem();
    to.token = "secret";
    return to;
  }
};

// A server behind a proxy, such as https://host/k8s/clusters/c-1.
TEST_F(ConnectionTest, KeepsThePathOfTheServersUrl) {
  for (const bool ipv6 : {false, true}) {
    FakeApiServer server(
        good, [](const FakeRequest&, FakeReply& reply) { reply.Answer(200, "{}"); }, ipv6);
    Client client(AtUrl(server.url() + "/k8s/clusters/c-1"), clock);
    const auto response = client.Get("/api/v1/pods?fieldSelector=spec.nodeName%3Dn&limit=500");
    ASSERT_TRUE(response) << response.error().what;
    EXPECT_EQ(server.requests().at(0).target,
              "/k8s/clusters/c-1/api/v1/pods?fieldSelector=spec.nodeName%3Dn&limit=500");
  }
}

// Without a name there is nothing to compare with a certificate.
TEST_F(ConnectionTest, NeedsAHost) {
  for (const char* url : {"https://", "https:", "https://:6443", "https://[]:6443", "https:///x"}) {
    const Client client(AtUrl(url), clock);
    ASSERT_FALSE(client.transport) << url;
    EXPECT_EQ(client.transport.error().kind, ErrorKind::kInvalid) << url;
  }
}

TEST_F(ConnectionTest, AHandshakeThatIsNeverAnsweredIsADeadline) {
  const Silence silence;
  ASSERT_TRUE(silence.listening());
  Client client(AtUrl(silence.url()), clock);
  const SteadyTime start = clock.Steady();
  const auto response = client.Get("/x", Millis(300));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kDeadline) << response.error().what;
  EXPECT_THAT(Since(start), Lt(std::chrono::seconds(5)));
}

TEST_F(ConnectionTest, AStopEndsAHandshakeWithinASecond) {
  Silence silence;
  ASSERT_TRUE(silence.listening());
  Client client(AtUrl(silence.url()), clock);
  Mailbox<ErrorKind> ended;
  const std::jthread list([&] {
    const auto response = client.Get("/x", std::chrono::seconds(30));
    ended.Put(response ? ErrorKind::kInternal : response.error().kind);
  });
  ASSERT_TRUE(silence.WaitForAHello());
  const SteadyTime start = clock.Steady();
  client.stop.request_stop();
  EXPECT_EQ(ended.Take(), ErrorKind::kCancelled);
  EXPECT_THAT(Since(start), Lt(std::chrono::seconds(1)));
}

// The thread pool of the library has two threads. Open watches and hanging handshakes must not
// block them.
TEST_F(ConnectionTest, ListsGoThroughBesideWatchesAndHungHandshakes) {
  FakeApiServer server(good, [](const FakeRequest& request, FakeReply& reply) {
    if (!request.Has("watch")) return reply.Answer(200, "{}");
    reply.StartChunks();
    reply.Stall();
  });
  const Silence silence;
  ASSERT_TRUE(silence.listening());
  Client client(At(server), clock);
  Client hung(AtUrl(silence.url()), clock);
  std::vector<std::jthread> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.emplace_back([&] {
      std::string text;
      EXPECT_FALSE(client.Stream(text, std::chrono::seconds(30)));
    });
    waiting.emplace_back([&] { EXPECT_FALSE(hung.Get("/x", std::chrono::seconds(30))); });
  }
  EXPECT_TRUE(server.WaitForRequests(2));
  std::atomic<int> answered{0};
  {
    std::vector<std::jthread> lists;
    for (int i = 0; i < 4; ++i)
      lists.emplace_back([&] {
        for (int k = 0; k < 5; ++k)
          if (const auto response = client.Get("/list"); response && response->status == 200)
            ++answered;
      });
  }
  EXPECT_EQ(answered, 20);
  client.stop.request_stop();
  hung.stop.request_stop();
}

// A01: the open watch continues with the token that it began with.
TEST_F(ConnectionTest, ASwappedTokenLeavesTheOpenWatchAlone) {
  std::atomic<int> valid{0};
  FakeApiServer server(good, [&](const FakeRequest& request, FakeReply& reply) {
    if (!request.Has("watch"))
      return reply.Answer(request.authorization == "Bearer t1" ? 200 : 401, "{}");
    reply.StartChunks();
    reply.Chunk("{}");
    reply.Stall();
  });
  ApiServer to = At(server);
  to.token = "t0";
  to.token_file = "/token";
  Client client(to, clock, [&](const std::string&) -> Result<std::string> {
    return "t" + std::to_string(valid);
  });
  Mailbox<std::string> seen;
  const std::jthread watch([&] {
    const auto ended = (*client.transport)
                           ->Stream(
                               "/watch", std::chrono::seconds(30), client.stop.get_token(),
                               [&] { seen.Put("open"); }, [](std::string_view) { return true; });
    EXPECT_EQ(ended.error().kind, ErrorKind::kCancelled);
    seen.Put("over");
  });
  EXPECT_EQ(seen.Take(), "open");
  valid = 1;
  const auto response = client.Get();
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->status, 200);
  std::size_t watches = 0;
  for (const auto& request : server.requests()) watches += request.Has("watch") ? 1U : 0U;
  EXPECT_EQ(watches, 1U);
  client.stop.request_stop();
  EXPECT_EQ(seen.Take(), "over");
}

}  // namespace
}  // namespace imagesweep::kube
