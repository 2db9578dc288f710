#include <malloc.h>

#include "agent/base/codec.h"
#include "agent/kube/client/lister.h"
#include "tests/unit/kube/tls_fixture.h"

namespace imagesweep::kube {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Lt;

struct TransportTest : TlsTest {};

TEST_F(TransportTest, BringsStatusBodyAndToken) {
  FakeApiServer server(good, Says(404, R"({"reason":"NotFound"})", "Retry-After: 7\r\n"));
  Client client(At(server), clock);
  const auto response = client.Get("/api/v1/pods?fieldSelector=spec.nodeName%3Dnode1&limit=500");
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->body, R"({"reason":"NotFound"})");
  EXPECT_EQ(response->retry_after, std::chrono::seconds(7));
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(server.requests()[0].target,
            "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode1&limit=500");
  EXPECT_EQ(server.requests()[0].authorization, "Bearer secret");
}

TEST_F(TransportTest, SendsMethodBodyAndToken) {
  FakeApiServer server(good, Says(201, R"({"kind":"Event"})"));
  Client client(At(server), clock);
  const std::string body = R"({"note":")" + std::string(100'000, 'x') + "\"}";
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    const auto response = (*client.transport)
                              ->Send({method, "/apis/x", "application/merge-patch+json", body},
                                     std::chrono::seconds(20), {});
    ASSERT_TRUE(response) << method << ": " << response.error().what;
    EXPECT_EQ(response->status, 201);
    const FakeRequest request = server.requests().back();
    EXPECT_EQ(request.method, method);
    EXPECT_EQ(request.body, body);
    EXPECT_EQ(request.authorization, "Bearer secret");
  }
}

TEST_F(TransportTest, ReadsRetryAfterInSecondsAlone) {
  const struct {
    const char* header;
    std::optional<Millis> wait;
  } cases[] = {{"Retry-After: 0\r\n", Millis(0)},
               {"Retry-After: 99999999\r\n", std::chrono::hours(1)},
               {"Retry-After: -1\r\n", std::nullopt},
               {"Retry-After: 1.5\r\n", std::nullopt},
               {"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", std::nullopt},
               {"", std::nullopt}};
  for (const auto& [header, wait] : cases) {
    FakeApiServer server(good, Says(429, "", header));
    Client client(At(server), clock);
    const auto response = client.Get();
    ASSERT_TRUE(response) << header;
    EXPECT_EQ(response->retry_after, wait) << header;
  }
}

// W07: a truncated answer is an error, never a shorter answer.
TEST_F(TransportTest, ACutAnswerIsAnError) {
  const struct {
    const char* why;
    FakeApiServer::Handler handler;
  } cases[] = {
      {"RST in a body",
       [](const FakeRequest&, FakeReply& reply) {
         reply.Raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\"");
         reply.Reset();
       }},
      {"FIN in a body",
       [](const FakeRequest&, FakeReply& reply) {
         reply.Raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\"");
         reply.Drop();
       }},
      {"RST between chunks",
       [](const FakeRequest&, FakeReply& reply) {
         reply.StartChunks();
         reply.Chunk("{}");
         reply.Reset();
       }},
      {"FIN between chunks",
       [](const FakeRequest&, FakeReply& reply) {
         reply.StartChunks();
         reply.Chunk("{}");
         reply.Drop();
       }},
      {"FIN in the headers",
       [](const FakeRequest&, FakeReply& reply) {
         reply.Raw("HTTP/1.1 200 OK\r\nContent-");
         reply.Drop();
       }},
      {"no HTTP",
       [](const FakeRequest&, FakeReply& reply) {
         reply.Raw("SSH-2.0-OpenSSH\r\n\r\n");
         reply.Drop();
       }},
  };
  for (const auto& [why, handler] : cases) {
    FakeApiServer server(good, handler);
    Client client(At(server), clock);
    const auto response = client.Get();
    ASSERT_FALSE(response) << why;
    EXPECT_EQ(response.error().kind, ErrorKind::kUnavailable) << why;
    std::string text;
    EXPECT_FALSE(client.Stream(text)) << why << ", streamed";
  }
}

TEST_F(TransportTest, AnAnswerThatDoesNotComeIsADeadline) {
  const FakeApiServer::Handler handlers[] = {
      [](const FakeRequest&, FakeReply& reply) { reply.Stall(); },
      [](const FakeRequest&, FakeReply& reply) {
        reply.Raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\"");
        reply.Stall();
      }};
  for (const auto& handler : handlers) {
    FakeApiServer server(good, handler);
    Client client(At(server), clock);
    const SteadyTime start = clock.Steady();
    const auto response = client.Get("/x", Millis(300));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::kDeadline) << response.error().what;
    EXPECT_THAT(Since(start), Lt(std::chrono::seconds(5)));
  }
}

TEST_F(TransportTest, AnAnswerThatIsTooLargeFailsWhole) {
  FakeApiServer server(good, [](const FakeRequest&, FakeReply& reply) {
    reply.StartChunks();
    const std::string mebibyte(1U << 20, 'x');
    for (int i = 0; i < 66 && reply.StillThereAfter(Millis(0)); ++i) reply.Chunk(mebibyte);
    reply.EndChunks();
  });
  const auto response = Client(At(server), clock).Get("/x", std::chrono::seconds(60));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kIncomplete) << response.error().what;
}

TEST_F(TransportTest, FailsAsUnavailableWhenNoServerListens) {
  ApiServer to;
  {
    const FakeApiServer server(good, Says(200, "{}"));
    to = At(server);
  }
  const auto response = Client(to, clock).Get();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kUnavailable);
}

TEST_F(TransportTest, StreamsChunksAsTheyArrive) {
  Mailbox<std::string> got;
  FakeApiServer server(good, [&](const FakeRequest&, FakeReply& reply) {
    reply.StartChunks();
    reply.Chunk("first");
    EXPECT_EQ(got.Take(), "open");
    EXPECT_EQ(got.Take(), "first") << "delivered while the stream is open";
    reply.Chunk("second");
    reply.EndChunks();
  });
  Client client(At(server), clock);
  const auto response = (*client.transport)
                            ->Stream(
                                "/watch", std::chrono::seconds(20), {}, [&] { got.Put("open"); },
                                [&](std::string_view piece) {
                                  got.Put(std::string(piece));
                                  return true;
                                });
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(got.Take(), "second");
}

TEST_F(TransportTest, StreamsByteByByte) {
  const std::string text = "{\"name\":\"gr\xc3\xbc\xc3\x9f\"}\n";
  FakeApiServer server(good, [&](const FakeRequest&, FakeReply& reply) {
    reply.StartChunks();
    for (const char c : text) reply.Chunk(std::string(1, c));
    reply.EndChunks();
  });
  server.SplitWrites(1);
  std::string got;
  const auto response = Client(At(server), clock).Stream(got);
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(got, text);
}

TEST_F(TransportTest, ASilentStreamEndsAfterItsIdleLimitAlone) {
  FakeApiServer server(good, [](const FakeRequest&, FakeReply& reply) {
    reply.StartChunks();
    for (int i = 0; i < 4 && reply.StillThereAfter(Millis(250)); ++i) reply.Chunk("x");
    reply.Stall();
  });
  std::string got;
  const SteadyTime start = clock.Steady();
  const auto response = Client(At(server), clock).Stream(got, Millis(800));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kDeadline) << response.error().what;
  EXPECT_EQ(got, "xxxx") << "a stream may last longer than its idle limit";
  EXPECT_THAT(Since(start), AllOf(testing::Ge(Millis(1'700)), Lt(std::chrono::seconds(8))));
}

TEST_F(TransportTest, AStopEndsAWatchWithinASecond) {
  const FakeApiServer::Handler silences[] = {
      [](const FakeRequest&, FakeReply& reply) { reply.Stall(); },
      [](const FakeRequest&, FakeReply& reply) {
        reply.StartChunks();
        reply.Stall();
      }};
  for (const auto& handler : silences) {
    FakeApiServer server(good, handler);
    Client client(At(server), clock);
    Mailbox<ErrorKind> ended;
    const std::jthread watch([&] {
      std::string got;
      const auto response = client.Stream(got, std::chrono::minutes(5));
      ended.Put(response ? ErrorKind::kInternal : response.error().kind);
    });
    ASSERT_TRUE(server.WaitForRequests(1));
    const SteadyTime start = clock.Steady();
    client.stop.request_stop();
    EXPECT_EQ(ended.Take(), ErrorKind::kCancelled);
    EXPECT_THAT(Since(start), Lt(std::chrono::seconds(1)));
  }
}

TEST_F(TransportTest, SendsNothingAfterAStop) {
  FakeApiServer server(good, Says(200, "{}"));
  Client client(At(server), clock);
  client.stop.request_stop();
  const auto response = client.Get();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kCancelled);
}

TEST_F(TransportTest, TheReaderMayEndAStream) {
  FakeApiServer server(good, [](const FakeRequest&, FakeReply& reply) {
    reply.StartChunks();
    reply.Chunk("enough");
    reply.Stall();
  });
  Client client(At(server), clock);
  const auto response = (*client.transport)
                            ->Stream(
                                "/watch", std::chrono::seconds(20), {}, [] {},
                                [](std::string_view) { return false; });
  EXPECT_TRUE(response) << response.error().what;
  EXPECT_TRUE(client.Get("/y", Millis(300)).error().kind == ErrorKind::kDeadline)
      << "on a new connection";
  EXPECT_EQ(server.connections(), 2U);
}

// W10: a server that shuts down.
TEST_F(TransportTest, AConnectionThatIsToCloseIsNotUsedAgain) {
  FakeApiServer server(good, [](const FakeRequest&, FakeReply& reply) {
    reply.Answer(429, "{}", "Retry-After: 5\r\nConnection: close\r\n");
  });
  Client client(At(server), clock);
  for (std::size_t i = 1; i <= 3; ++i) {
    const auto response = client.Get();
    ASSERT_TRUE(response) << response.error().what;
    EXPECT_EQ(response->status, 429);
    EXPECT_EQ(response->retry_after, std::chrono::seconds(5));
    EXPECT_EQ(server.requests().back().connection, i);
  }
}

// Not always: cpprestsdk reuses a connection only a moment after it has returned the answer.
TEST_F(TransportTest, AConnectionThatLivesIsUsedAgain) {
  FakeApiServer server(good, Says(200, "{}"));
  Client client(At(server), clock);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(client.Get());
  EXPECT_THAT(server.connections(), Lt(25U));
}

// The server closes idle connections, and the next request must not fail because of that.
TEST_F(TransportTest, RetriesARequestWhenAnIdleConnectionWasClosed) {
  for (const bool reset : {false, true}) {
    FakeApiServer server(good, [&](const FakeRequest& request, FakeReply& reply) {
      reply.Answer(200, "{}");
      if (request.connection > 1) return;
      if (reset) {
        reply.Reset();
      } else {
        reply.Drop();
      }
    });
    Client client(At(server), clock);
    EXPECT_TRUE(client.Get());
    const auto again = client.Get();
    EXPECT_TRUE(again) << (reset ? "RST: " : "FIN: ") << again.error().what;
  }
}

// A body that is read in pieces is never completely in memory, even if it arrives fast.
TEST_F(TransportTest, FetchHoldsLittleOfALargeBody) {
  const std::string megabyte(1U << 20, 'x');
  for (const bool chunked : {false, true}) {
    FakeApiServer server(good, [&](const FakeRequest&, FakeReply& reply) {
      if (chunked) {
        reply.StartChunks();
        for (int i = 0; i < 64; ++i) reply.Chunk(megabyte);
        reply.EndChunks();
      } else {
        reply.Raw("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n");
        for (int i = 0; i < 64; ++i) reply.Raw(megabyte);
      }
    });
    Client client(At(server), clock);
    const auto in_use = [] {
      const auto info = mallinfo2();
      return info.uordblks + info.hblkhd;
    };
    const std::size_t before = in_use();
    std::size_t bytes = 0, most = 0;
    const auto response = client.Fetch([&](std::string_view piece) {
      bytes += piece.size();
      most = std::max(most, in_use());
      return true;
    });
    ASSERT_TRUE(response) << response.error().what;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "");
    EXPECT_EQ(bytes, 64U << 20);
    EXPECT_LT(most - std::min(most, before), 8U << 20) << "chunked: " << chunked;
  }
}

TEST_F(TransportTest, FetchEndsWhenTheReaderHasEnough) {
  FakeApiServer server(good, [](const FakeRequest&, FakeReply& reply) {
    reply.StartChunks();
    reply.Chunk("enough");
    reply.Stall();
  });
  Client client(At(server), clock);
  EXPECT_TRUE(client.Fetch([](std::string_view) { return false; }));
}

TEST_F(TransportTest, FetchOfACutBodyIsAnError) {
  FakeApiServer server(good, [](const FakeRequest&, FakeReply& reply) {
    reply.StartChunks();
    reply.Chunk("{}");
    reply.Drop();
  });
  Client client(At(server), clock);
  std::string text;
  const auto response = client.Fetch([&](std::string_view piece) {
    text += piece;
    return true;
  });
  ASSERT_FALSE(response);
  EXPECT_EQ(text, "{}");
}

// An error page of any size costs only its kept part.
TEST_F(TransportTest, KeepsOnlyTheStartOfAnErrorBody) {
  FakeApiServer server(good, Says(503, std::string(30U << 20, 'e'), "Retry-After: 7\r\n"));
  Client client(At(server), clock);
  for (int i = 0; i < 3; ++i) {
    const auto got = client.Get();
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->status, 503);
    EXPECT_EQ(got->retry_after, std::chrono::seconds(7));
    EXPECT_EQ(got->body.size(), kMostRefusal);
    const auto fetched = client.Fetch([](std::string_view) { return true; });
    ASSERT_TRUE(fetched) << fetched.error().what;
    EXPECT_EQ(fetched->status, 503);
    EXPECT_EQ(fetched->body.size(), kMostRefusal);
  }
}

TEST_F(TransportTest, AWholeAnswerHasALimit) {
  FakeApiServer server(good, Says(200, std::string(20U << 20, 'e')));
  Client client(At(server), clock);
  const auto response = client.Get();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kIncomplete);
  EXPECT_THAT(response.error().what, HasSubstr("larger than 16 MiB"));
}

TEST_F(TransportTest, RejectsAListOfSeventyMebibytesOfBlanks) {
  FakeApiServer server(good, Says(200, std::string(70U << 20, ' ')));
  Client client(At(server), clock);
  const Lister lister(**client.transport, "/api/v1/pods", "pods", "", {});
  const auto listed = lister.List("", {});
  const auto* failure = std::get_if<ListFailure>(&listed);
  ASSERT_NE(failure, nullptr);
  EXPECT_THAT(failure->error.what, HasSubstr("list pods: JSON: the list is cut off"));
}

// API servers accept "gzip" without a weight only, and then answer in small chunks.
TEST_F(TransportTest, AsksForGzipAndUnpacksIt) {
  std::string body;
  for (int i = 0; i < 100'000; ++i) body += std::to_string(i * 7919) + " ";
  const std::string packed = *Gzip(body);
  FakeApiServer server(good, Says(200, packed, "Content-Encoding: gzip\r\n"));
  Client client(At(server), clock);
  std::string text;
  const auto response = client.Fetch([&](std::string_view piece) {
    text += piece;
    return true;
  });
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(text, body);
  const auto whole = client.Get();
  ASSERT_TRUE(whole) << whole.error().what;
  EXPECT_EQ(whole->body, body);
  EXPECT_EQ(server.requests().front().accept_encoding, "gzip");
}

}  // namespace
}  // namespace imagesweep::kube
