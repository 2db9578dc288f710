#include "agent/server/http/server.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "tests/unit/server/http/client.h"

namespace imagesweep {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct ServerTest : testing::Test {
  ServerTest() {
    const auto echo = [](const std::string& query) {
      return HttpReply{503, "text/plain", "query=" + query, {{"X-Own", "yes"}}};
    };
    const auto broken = [](const std::string&) -> HttpReply { throw std::runtime_error("broken"); };
    auto started =
        HttpServer::Start("127.0.0.1:" + std::to_string(port),
                          {{"/livez", {echo}}, {"/here", {echo, true}}, {"/bad", {broken}}});
    EXPECT_TRUE(started) << started.error().what;
    if (started) server = *std::move(started);
  }
  const int port = FreePort();
  std::unique_ptr<HttpServer> server;
};

TEST_F(ServerTest, ServesExactPathsAndNothingElse) {
  EXPECT_THAT(Get(port, "/livez?verbose"),
              AllOf(StartsWith("HTTP/1.1 503 Service Unavailable\r\n"),
                    HasSubstr("\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n"),
                    HasSubstr("\r\nX-Own: yes\r\n"), EndsWith("\r\n\r\nquery=verbose")));
  EXPECT_THAT(Get(port, "http://127.0.0.1:1/livez?a=b"), EndsWith("\r\n\r\nquery=a=b"));
  for (const char* other : {"/other", "/livez/", "/LIVEZ", "/%6civez", "//livez", "/../livez"})
    EXPECT_THAT(Get(port, other), StartsWith("HTTP/1.1 404 ")) << other;
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  EXPECT_THAT(Ask(port, "HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n"),
              AllOf(HasSubstr("\r\nContent-Length: 6\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(ServerTest, AnswersBadRequestsWithTheReason) {
  const struct {
    std::string request;
    const char* status;
    const char* also;
  } cases[] = {
      {"DELETE /livez HTTP/1.1\r\n\r\n", "405", "\r\nAllow: GET, HEAD\r\n"},
      {"POST /livez HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\nbody", "405", "only GET"},
      {"FROBNICATE * HTTP/1.1\r\n\r\n", "405", "\r\nAllow: GET, HEAD\r\n"},
      {"GET * HTTP/1.1\r\n\r\n", "400", "the request target is not a path"},
      {"GET /livez\r\n\r\n", "400", "not an HTTP request"},
      {"GET /livez HTTP/2.0\r\n\r\n", "505", "only HTTP/1.0"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505", "only HTTP/1.0"},
      {"\x16\x03\x01\x02\r\n\r\n", "400", "not an HTTP request"},
      {"\r\n\r\n", "400", "not an HTTP request"},
      {std::string("G\0T /livez HTTP/1.1\r\n\r\n", 23), "400", "not an HTTP request"},
      {"GET  /livez HTTP/1.1\r\n\r\n", "400", "not an HTTP request"},
      {"GET /bad HTTP/1.1\r\n\r\n", "500", "broken"},
  };
  for (const auto& c : cases)
    EXPECT_THAT(Ask(port, c.request),
                AllOf(StartsWith("HTTP/1.1 " + std::string(c.status)), HasSubstr(c.also)))
        << c.request;
}

TEST_F(ServerTest, AcceptsARequestThatComesByteByByte) {
  const Client client(port);
  for (const char byte : std::string("GET /livez?slow HTTP/1.0\r\n\r\n"))
    ASSERT_TRUE(client.Send(std::string_view(&byte, 1)));
  EXPECT_THAT(client.Rest(), EndsWith("query=slow"));
}

TEST_F(ServerTest, KeepsLocalPagesFromNamesOfOthers) {
  const auto ask = [this](const std::string& host) {
    return Ask(port, "GET /here HTTP/1.1\r\n" + host + "\r\n");
  };
  for (const char* own : {"", "Host: localhost\r\n", "host:127.0.0.1:8080\r\n",
                          "HOST: LocalHost:9\r\n", "Host: [::1]:80\r\n", "Host: 10.1.2.3\r\n"})
    EXPECT_THAT(ask(own), StartsWith("HTTP/1.1 503")) << own;
  for (const char* other :
       {"Host: evil.example\r\n", "Host: localhost.evil.example\r\n",
        "Host: 127.0.0.1.nip.io:80\r\n", "Host: [::1.evil]\r\n",
        // A sidecar that acts for another client.
        "X-Forwarded-For: 203.0.113.9\r\n", "Via: 1.1 mesh\r\n", "forwarded: for=203.0.113.9\r\n",
        "Host: localhost\r\nHost: evil.example\r\n"})
    EXPECT_THAT(ask(other), AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("--status-page=all")))
        << other;
}

// The same page from an address of the machine that is not a loopback address.
TEST(Server, KeepsLocalPagesFromOtherAddresses) {
  const int probe = socket(AF_INET, SOCK_DGRAM, 0);
  const sockaddr_in anywhere = Ipv4("192.0.2.1", 9);  // nothing is sent
  sockaddr_in own{};
  socklen_t size = sizeof own;
  const bool routed =
      connect(probe, reinterpret_cast<const sockaddr*>(&anywhere), sizeof anywhere) == 0 &&
      getsockname(probe, reinterpret_cast<sockaddr*>(&own), &size) == 0;
  close(probe);
  ASSERT_TRUE(routed) << "this machine has loopback addresses only, and the test needs another";
  char address[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &own.sin_addr, address, sizeof address);

  const int port = FreePort();
  const auto page = [](const std::string&) { return HttpReply{200, "text/plain", "page"}; };
  const auto server =
      HttpServer::Start(":" + std::to_string(port), {{"/here", {page, true}}, {"/all", {page}}});
  ASSERT_TRUE(server) << server.error().what;
  const auto ask = [&](const char* host, const std::string& path) {
    const Client client(port, host);
    EXPECT_TRUE(client.Send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    return client.Rest();
  };
  EXPECT_THAT(ask(address, "/here"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(ask(address, "/all"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("127.0.0.1", "/here"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, SaysWhenTheAddressIsTakenOrWrong) {
  const auto taken = HttpServer::Start("127.0.0.1:" + std::to_string(port), {});
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().what, HasSubstr("cannot listen on"));
  EXPECT_EQ(taken.error().kind, ErrorKind::kUnavailable);
  for (const char* address : {"", "8080", "host:", "host:x", "127.0.0.1:70000", "::1:80"}) {
    const auto wrong = HttpServer::Start(address, {});
    ASSERT_FALSE(wrong) << address;
    EXPECT_EQ(wrong.error().kind, ErrorKind::kInvalid) << address;
  }
}

TEST(Server, ListensOnNamesAndOnBothKindsOfAddress) {
  const auto page = [](const std::string&) { return HttpReply{200, "text/plain", "page"}; };
  for (const std::string host : {"", "localhost", "127.0.0.1", "0.0.0.0"}) {
    const int port = FreePort();
    const auto server = HttpServer::Start(host + ":" + std::to_string(port), {{"/", page}});
    ASSERT_TRUE(server) << server.error().what;
    EXPECT_THAT(Get(port, "/"), EndsWith("\r\n\r\npage")) << host;
  }
  const auto unknown = HttpServer::Start("no-such-host.invalid:1", {});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUnavailable);
}

TEST_F(ServerTest, FreesItsAddressWhenItStops) {
  const Client waiting(port);
  server.reset();
  EXPECT_EQ(waiting.Rest(), "");
  const auto again = HttpServer::Start("127.0.0.1:" + std::to_string(port), {});
  EXPECT_TRUE(again) << again.error().what;
}

}  // namespace
}  // namespace imagesweep
