#include <gmock/gmock.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>

#include "agent/server/http/server.h"
#include "tests/unit/server/http/client.h"

// Hostile or broken clients: their cost is bounded, and a probe gets its answer meanwhile.

namespace imagesweep {
namespace {

using testing::EndsWith;
using testing::StartsWith;

std::size_t ResidentKiB() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmRSS:") {
      std::size_t kib = 0;
      status >> kib;
      return kib;
    }
  return 0;
}

// The limit for the growth of memory. A sanitizer keeps freed memory, which does not count.
constexpr std::size_t Allowed(std::size_t kib) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return kib + 1024UL * 1024;
#else
  return kib;
#endif
}

std::size_t OpenFiles() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

struct HostileTest : testing::Test {
  void Start(const HttpLimits& limits = {}) {
    const auto alive = [](const std::string&) { return HttpReply{200, "text/plain", "ok"}; };
    const auto large = [this](const std::string&) { return HttpReply{200, "text/plain", page}; };
    auto started = HttpServer::Start("127.0.0.1:" + std::to_string(port),
                                     {{"/livez", {alive}}, {"/large", {large}}}, limits);
    ASSERT_TRUE(started) << started.error().what;
    server = *std::move(started);
  }
  void ExpectAlive() { EXPECT_THAT(Get(port, "/livez"), EndsWith("\r\n\r\nok")); }

  const int port = FreePort();
  const std::string page = std::string(4UL << 20, 'x');
  std::unique_ptr<HttpServer> server;
};

TEST_F(HostileTest, AHeaderOfAHundredMegabytesIsNeitherKeptNorReadToItsEnd) {
  Start();
  const std::size_t before = ResidentKiB();
  const std::string megabyte(1 << 20, 'a');
  const Client client(port);
  ASSERT_TRUE(client.Send("GET /livez HTTP/1.1\r\nX-Long: "));
  int sent = 0;
  while (sent < 100 && client.Send(megabyte)) ++sent;
  EXPECT_LT(sent, 100) << "the server must hang up";
  ExpectAlive();
  EXPECT_LT(ResidentKiB(), before + Allowed(4096));
}

TEST_F(HostileTest, ALongHeaderIsAnswered) {
  Start();
  EXPECT_THAT(Ask(port, "GET /livez HTTP/1.1\r\nX-Long: " + std::string(20'000, 'a')),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(Ask(port, "GET /livez HTTP/1.1\r\nCookie: " + std::string(15'000, 'a') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 200 "));
}

// Slow loris: single bytes do not keep a connection open.
TEST_F(HostileTest, ClosesAConnectionWhoseHeaderNeverEnds) {
  Start({.head_time = Millis(100)});
  const Client client(port);
  while (client.Send("a")) {  // until the server has closed: then sending fails
    pollfd closed{client.fd(), POLLIN, 0};
    poll(&closed, 1, 10);
  }
  EXPECT_EQ(client.Rest(), "");
  ExpectAlive();
}

TEST_F(HostileTest, AClientThatDoesNotReadItsReplyIsCutOff) {
  Start({.reply_time = Millis(100)});
  const Client client(port);
  ASSERT_TRUE(client.Send("GET /large HTTP/1.1\r\n\r\n"));
  pollfd over{client.fd(), POLLRDHUP, 0};
  ASSERT_EQ(poll(&over, 1, 20'000), 1) << "still connected";
  EXPECT_LT(client.Rest().size(), page.size());
}

TEST_F(HostileTest, LimitsTheMemoryOfUnreadReplies) {
  Start({.connections = 1000, .reply_bytes = 16UL << 20});
  const std::size_t before = ResidentKiB();
  std::deque<Client> clients;
  for (int i = 0; i < 100; ++i) {
    clients.emplace_back(port);
    ASSERT_TRUE(clients.back().Send("GET /large HTTP/1.1\r\n\r\n"));
  }
  ExpectAlive();
  EXPECT_LT(ResidentKiB(), before + Allowed(100UL * 1024)) << "a hundred pages would be 400 MiB";
  EXPECT_GT(clients.back().Rest().size(), page.size()) << "the newest one gets all of it";
}

TEST_F(HostileTest, TenThousandConnectionsHoldSixtyFour) {
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  const std::size_t wanted = std::min<rlim_t>(10'000, files.rlim_max - 200);
  Start();
  const std::size_t files_before = OpenFiles();
  const std::size_t memory_before = ResidentKiB();
  std::deque<Client> clients;
  for (std::size_t i = 0; i < wanted; ++i) {
    clients.emplace_back(port);
    ASSERT_TRUE(clients.back().connected()) << i;
    // Dropped connections may refuse the data.
    static_cast<void>(clients.back().Send("GET /livez HTTP/1.1\r\nX: "));
    if (i % 1000 == 0) ExpectAlive();
  }
  ExpectAlive();
  EXPECT_LE(OpenFiles() - files_before, wanted + 65) << "the server's share is 64 and the probe";
  EXPECT_LT(ResidentKiB(), memory_before + Allowed(8192));
  ExpectAlive();
}

TEST_F(HostileTest, AFloodOfBadRequestsIsAnsweredOneByOne) {
  Start();
  const std::size_t before = ResidentKiB();
  for (int i = 0; i < 5'000; ++i)
    ASSERT_THAT(Ask(port, "BREW /pot HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405 ")) << i;
  ExpectAlive();
  EXPECT_LT(ResidentKiB(), before + Allowed(4096));
}

}  // namespace
}  // namespace imagesweep
