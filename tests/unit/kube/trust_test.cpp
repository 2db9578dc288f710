// The servers that the transport trusts, and its own credentials.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <fstream>

#include "tests/unit/kube/tls_fixture.h"

namespace imagesweep::kube {
namespace {

using testing::HasSubstr;

struct TrustTest : TlsTest {};

// W20: no evidence without a valid certificate for this address that the cluster's own CA signed.
// The cause is reported.
TEST_F(TrustTest, AcceptsOnlyTheRightCertificate) {
  using std::chrono::hours;
  const TestCa stranger("stranger");
  const struct {
    const char* why;
    TestCertificate certificate;
    const char* says;
  } cases[] = {
      {"another CA", stranger.Issue({}), "unable to get local issuer certificate"},
      {"not yet valid", ca.Issue({.valid_from = hours(1), .valid_to = hours(2)}),
       "certificate is not yet valid"},
      {"expired", ca.Issue({.valid_from = -hours(2), .valid_to = -hours(1)}),
       "certificate has expired"},
      {"another address", ca.Issue({.alt_names = "IP:127.0.0.2"}), "IP address mismatch"},
      {"the address only as a name", ca.Issue({.name = "127.0.0.1", .alt_names = ""}),
       "IP address mismatch"},
  };
  for (const auto& [why, certificate, says] : cases) {
    FakeApiServer server(certificate, Says(200, "{}"));
    Client client(At(server), clock);
    const auto response = client.Get();
    ASSERT_FALSE(response) << why;
    EXPECT_EQ(response.error().kind, ErrorKind::kUnavailable) << why;
    EXPECT_THAT(response.error().what, HasSubstr(says)) << why;
    EXPECT_TRUE(server.requests().empty()) << why << ": the token was sent";
    server.UseCertificate(good);
    EXPECT_TRUE(client.Get()) << why << ": recovers";
  }
}

TEST_F(TrustTest, ComparesNames) {
  FakeApiServer server(good, Says(200, "{}"));
  ApiServer by_name = At(server);
  by_name.url.replace(by_name.url.find("127.0.0.1"), 9, "localhost");
  EXPECT_TRUE(Client(by_name, clock).Get());
  server.UseCertificate(ca.Issue({.alt_names = "DNS:elsewhere,IP:127.0.0.1"}));
  const auto refused = Client(by_name, clock).Get();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("hostname mismatch"));
}

TEST_F(TrustTest, SpeaksToAnIpv6Address) {
  FakeApiServer server(good, Says(200, "six"), /*ipv6=*/true);
  const auto response = Client(At(server), clock).Get();
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->body, "six");
  EXPECT_EQ("https://" + server.requests().at(0).host, server.url());
}

TEST_F(TrustTest, NeverSpeaksPlainText) {
  FakeApiServer server(good, Says(200, "{}"));
  server.SpeakPlainText();
  EXPECT_FALSE(Client(At(server), clock).Get());
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(TrustTest, ShowsItsClientCertificate) {
  const TestCertificate mine = ca.Issue({.name = "me"});
  FakeApiServer server(good, Says(200, "{}"));
  server.RequireClientCertificate(ca.pem());
  ApiServer to = At(server);
  to.client_certificate = mine.certificate;
  to.client_key = mine.key;
  EXPECT_TRUE(Client(to, clock).Get());
  const auto bare = Client(At(server), clock).Get();
  ASSERT_FALSE(bare);
  EXPECT_EQ(bare.error().kind, ErrorKind::kUnavailable);
}

TEST_F(TrustTest, NamesTheFileThatCannotBeUsed) {
  const TestCertificate mine = ca.Issue({});
  const TestCertificate other = ca.Issue({});
  const struct {
    const char* why;
    std::string ca_text, certificate, key;
    const char* says;
  } cases[] = {
      {"no CA", "x", "", "", "CA is not a PEM certificate"},
      {"no certificate", ca.pem(), "x", mine.key, "client certificate is not"},
      {"no key", ca.pem(), mine.certificate, "x", "client key is not"},
      {"another's key", ca.pem(), mine.certificate, other.key, "does not belong"},
  };
  for (const auto& [why, ca_text, certificate, key, says] : cases) {
    const ApiServer to{"https://127.0.0.1:1", ca_text, certificate, key, "", ""};
    const Client client(to, clock);
    ASSERT_FALSE(client.transport) << why;
    EXPECT_EQ(client.transport.error().kind, ErrorKind::kInvalid) << why;
    EXPECT_THAT(client.transport.error().what, HasSubstr(says)) << why;
  }
}

// A rotated CA, as the kubelet replaces the files of a service account.
TEST_F(TrustTest, ReadsItsFilesOnEachNewConnection) {
  const TestCa stranger("stranger");
  const TestCertificate mine = ca.Issue({.name = "me"});
  const TestCertificate unknown = stranger.Issue({.name = "me"});
  FakeApiServer server(good, Says(200, "{}"));
  server.RequireClientCertificate(ca.pem());
  ApiServer to = At(server);
  to.ca = stranger.pem();
  to.client_certificate = unknown.certificate;
  to.client_key = unknown.key;
  ApiServer now = to;
  to.reread = [&now]() -> Result<ApiServer> { return now; };
  Client client(to, clock);
  EXPECT_FALSE(client.Get());
  now.ca = ca.pem();
  EXPECT_FALSE(client.Get()) << "the certificate is still another cluster's";
  now.client_certificate = mine.certificate;
  EXPECT_FALSE(client.Get()) << "half of a swap: the key is not its key";
  now.client_key = mine.key;
  const auto response = client.Get();
  EXPECT_TRUE(response) << response.error().what;
}

TEST_F(TrustTest, FilesThatCannotBeUsedLeaveTheOldOnesInForce) {
  const struct {
    const char* why;
    std::function<Result<ApiServer>(ApiServer)> reread;
  } cases[] = {
      {"unreadable",
       [](const ApiServer&) -> Result<ApiServer> {
         return Error{ErrorKind::kNotFound, "cannot read ca.crt"};
       }},
      {"empty",
       [](ApiServer to) -> Result<ApiServer> {
         to.ca.clear();
         return to;
       }},
      {"another server's",
       [](ApiServer to) -> Result<ApiServer> {
         to.ca = TestCa("stranger").pem();
         to.url = "https://elsewhere:1";
         return to;
       }},
  };
  for (const auto& [why, reread] : cases) {
    FakeApiServer server(good, Says(200, "{}"));
    ApiServer to = At(server);
    to.reread = [&reread, copy = to] { return reread(copy); };
    const auto response = Client(to, clock).Get();
    EXPECT_TRUE(response) << why;
  }
}

TEST_F(TrustTest, FollowsNoRedirect) {
  FakeApiServer elsewhere(good, Says(200, "{}"));
  FakeApiServer server(good, Says(302, "", "Location: " + elsewhere.url() + "/x\r\n"));
  const auto response = Client(At(server), clock).Get();
  EXPECT_TRUE(!response || response->status == 302);
  EXPECT_TRUE(elsewhere.requests().empty());
}

// A01: sixty replacements of a token file that is a symbolic link, as the kubelet does it.
TEST_F(TrustTest, SurvivesEverySwapOfItsToken) {
  const std::string directory = testing::TempDir() + "token-swap";
  const auto write = [&](const std::string& token) {
    std::ofstream(directory + "-" + token) << token << "\n";
    std::remove((directory + "-next").c_str());
    ASSERT_EQ(symlink((directory + "-" + token).c_str(), (directory + "-next").c_str()), 0);
    ASSERT_EQ(rename((directory + "-next").c_str(), (directory + "-token").c_str()), 0);
  };
  std::atomic<int> valid{0};
  FakeApiServer server(good, [&](const FakeRequest& request, FakeReply& reply) {
    const bool right = request.authorization == "Bearer t" + std::to_string(valid);
    reply.Answer(right ? 200 : 401, "{}");
  });
  write("t0");
  ApiServer to = At(server);
  to.token = "t0";
  to.token_file = directory + "-token";
  Client client(to, clock);
  for (int swap = 1; swap <= 60; ++swap) {
    write("t" + std::to_string(swap));
    valid = swap;
    const std::size_t before = server.requests().size();
    const auto response = client.Get();
    ASSERT_TRUE(response) << response.error().what;
    EXPECT_EQ(response->status, 200) << "swap " << swap;
    EXPECT_LE(server.requests().size() - before, 2U) << "one with a dead token at most";
    std::remove((directory + "-t" + std::to_string(swap - 1)).c_str());
  }
}

TEST_F(TrustTest, ATokenThatStaysWrongIsAskedOnce) {
  FakeApiServer server(good, Says(401, "{}"));
  Client client(At(server), clock);
  const auto response = client.Get();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 401);
  EXPECT_EQ(server.requests().size(), 1U);
}

}  // namespace
}  // namespace imagesweep::kube
