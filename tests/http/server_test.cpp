#include "agent/http/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace imagesweep {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Socket {
 public:
  Socket() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {}
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int FreePort() {
  const Socket probe;
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(probe.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(probe.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

std::string Ask(int port, const std::string& request) {
  const Socket client;
  sockaddr_in address = Loopback(port);
  if (connect(client.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return {};
  EXPECT_EQ(send(client.fd(), request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string reply;
  char buffer[4096];
  for (ssize_t got = 0; (got = recv(client.fd(), buffer, sizeof buffer, 0)) > 0;)
    reply.append(buffer, static_cast<std::size_t>(got));
  return reply;
}

struct ServerTest : testing::Test {
  ServerTest() {
    auto started = HttpServer::Start("127.0.0.1:" + std::to_string(port),
                                     {{"/livez", [](const std::string& query) {
                                         return HttpReply{503, "text/plain", "query=" + query};
                                       }}});
    EXPECT_TRUE(started) << started.error().what;
    if (started) server = *std::move(started);
  }
  const int port = FreePort();
  std::unique_ptr<HttpServer> server;
};

TEST_F(ServerTest, ServesExactPathsAndNothingElse) {
  const std::string end = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  EXPECT_THAT(Ask(port, "GET /livez?verbose" + end), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(Ask(port, "GET /livez?verbose" + end), HasSubstr("query=verbose"));
  EXPECT_THAT(Ask(port, "GET /other" + end), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask(port, "DELETE /livez" + end), StartsWith("HTTP/1.1 405"));
}

TEST_F(ServerTest, SaysWhenTheAddressIsTakenOrWrong) {
  const auto taken = HttpServer::Start("127.0.0.1:" + std::to_string(port), {});
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().what, HasSubstr("cannot listen on"));
  for (const char* address : {"", "8080", "host:", "host:x", "host:70000"})
    EXPECT_FALSE(HttpServer::Start(address, {})) << address;
}

}  // namespace
}  // namespace imagesweep
