#include "agent/runtime/docker/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/fake_docker.h"
#include "tests/unit/runtime/docker/recorded.h"

namespace imagesweep::docker {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ClientTest : public testing::Test {
 protected:
  Client Make(Millis timeout = std::chrono::seconds(20)) const {
    return Client(engine_.socket_path(), {.timeout = timeout, .observer = {}});
  }
  // Answers every request for `path` with `reply`.
  void Script(const std::string& path, const FakeEngineReply& reply) {
    engine_.OnRequest([=](const std::string&, const std::string& target) {
      return target.substr(0, target.find('?')) == path ? std::optional(reply) : std::nullopt;
    });
  }
  Error GetError(const Client& client, std::string_view target = "/images/json") const {
    const auto body = client.Get(target, never_);
    EXPECT_FALSE(body);
    return body ? Error{} : body.error();
  }

  FakeDocker engine_;
  const std::stop_token never_{};
};

TEST_F(ClientTest, UsesTheNewestVersionThatBothKnow) {
  const auto client = Make();
  const auto version = client.Version(never_);
  ASSERT_TRUE(version) << version.error().what;
  EXPECT_EQ(*version, "1.41");
  ASSERT_TRUE(client.Get("/images/json?all=0", never_));
  ASSERT_TRUE(client.Get("/images/json?all=0", never_));
  EXPECT_THAT(engine_.Log(),
              ElementsAre("GET /_ping", "GET /images/json?all=0", "GET /images/json?all=0"));
  EXPECT_EQ(engine_.requests()[0].version, "");
  EXPECT_EQ(engine_.requests()[1].version, "1.41");
  EXPECT_EQ(engine_.requests()[1].headers.at("Host"), "docker");
}

TEST_F(ClientTest, UsesItsOwnNewestVersionWithANewerDaemon) {
  engine_.Edit([](FakeEngineNode& node) { node.api_version = "1.99"; });
  const auto version = Make().Version(never_);
  ASSERT_TRUE(version) << version.error().what;
  EXPECT_EQ(*version, Client::kNewest);
}

TEST_F(ClientTest, RefusesADaemonThatIsTooOld) {
  engine_.Edit([](FakeEngineNode& node) { node.api_version = "1.40"; });
  const auto error = GetError(Make());
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_THAT(error.what, AllOf(StartsWith("GET /images/json: "), HasSubstr("1.40"),
                                HasSubstr("1.41 to "), HasSubstr("update Docker")));
  EXPECT_THAT(engine_.Log(), ElementsAre("GET /_ping"));
}

TEST_F(ClientTest, RefusesADaemonThatIsTooNew) {
  engine_.Edit([](FakeEngineNode& node) {
    node.api_version = "1.99";
    node.min_api_version = "1.90";
  });
  const auto error = GetError(Make());
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_THAT(error.what, AllOf(HasSubstr("1.99"), HasSubstr("1.90"), HasSubstr("1.41 to "),
                                HasSubstr("update imagesweep")));
}

TEST_F(ClientTest, RefusesAServerThatIsNotTheEngine) {
  for (const char* version : {"", "1", "x.41", "1.41.2", "1."}) {
    Script("/_ping", {.headers = {{"Api-Version", version}}});
    const auto error = GetError(Make());
    EXPECT_EQ(error.kind, ErrorKind::kIncomplete) << version;
    EXPECT_THAT(error.what,
                AllOf(HasSubstr(engine_.socket_path()), HasSubstr("is not the Docker Engine")));
  }
}

TEST_F(ClientTest, AsksAgainAfterARestartOfTheDaemon) {
  const auto client = Make();
  ASSERT_TRUE(client.Get("/images/json", never_));
  engine_.Stop();
  engine_.Edit([](FakeEngineNode& node) { node.api_version = "1.47"; });
  engine_.Start();
  ASSERT_TRUE(client.Get("/images/json", never_));
  EXPECT_EQ(engine_.requests().back().version, "1.47");
}

TEST_F(ClientTest, AsksAgainAfterAnotherDaemonAnswersOnTheSameSocket) {
  const auto client = Make();
  ASSERT_TRUE(client.Get("/images/json", never_));
  engine_.Edit([](FakeEngineNode& node) { node.api_version = "1.47"; });
  ASSERT_TRUE(client.Get("/images/json", never_));
  ASSERT_TRUE(client.Get("/images/json", never_));
  EXPECT_EQ(engine_.requests().back().version, "1.47");
}

TEST_F(ClientTest, NamesTheRequestAndTheMessageOfTheDaemon) {
  struct Row {
    int status;
    ErrorKind kind;
  };
  for (const auto& [status, kind] :
       {Row{400, ErrorKind::kInvalid}, Row{401, ErrorKind::kDenied}, Row{403, ErrorKind::kDenied},
        Row{404, ErrorKind::kNotFound}, Row{409, ErrorKind::kInternal},
        Row{500, ErrorKind::kInternal}, Row{503, ErrorKind::kUnavailable}}) {
    Script("/images/json", FakeEngineReply::Failure(status, "permission denied\nto you"));
    const auto error = GetError(Make(), "/images/json?all=0");
    EXPECT_EQ(error.kind, kind) << status;
    EXPECT_EQ(error.what, "GET /images/json: Docker: permission denied?to you");
  }
}

TEST_F(ClientTest, ReadsMessagesOfRealDaemons) {
  for (const auto* file : {kRecorded20, kRecorded29}) {
    for (const auto* key : {"version-v1.20", "version-v1.39", "version-v1.99", "delete-unknown",
                            "delete-bad-name", "delete-id-running-container"}) {
      const auto answer = RecordedAnswer(file, key);
      if (answer["status"] == 200) continue;
      const auto error =
          ErrorOf({.name = "test"}, {answer["status"].get<int>(), RecordedBody(file, key)});
      std::string message = answer.contains("text") ? answer["text"].get<std::string>()
                                                    : answer["body"]["message"].get<std::string>();
      if (message.ends_with('\n')) message.pop_back();
      EXPECT_EQ(error.what, "test: Docker: " + message);
    }
  }
}

TEST_F(ClientTest, SaysTheStatusOfAnErrorWithoutAMessage) {
  for (const char* body : {"", "{}", "[]", R"({"message":7})", "\n"}) {
    EXPECT_EQ(ErrorOf({.name = "test"}, {500, body}).what, "test: Docker: HTTP status 500") << body;
  }
}

TEST_F(ClientTest, SendReturnsAnErrorStatus) {
  const auto reply = Make().Send({.method = "DELETE", .target = "/images/none:1"}, never_);
  ASSERT_TRUE(reply) << reply.error().what;
  EXPECT_EQ(reply->status, 404);
  EXPECT_THAT(reply->body, HasSubstr("No such image: none:1"));
}

TEST_F(ClientTest, SendsTheHeadersOfARequest) {
  const auto reply = Make().Send({.method = "POST",
                                  .target = "/images/create?fromImage=a",
                                  .headers = {{"X-Registry-Auth", "c2VjcmV0"}}},
                                 never_);
  ASSERT_TRUE(reply) << reply.error().what;
  EXPECT_EQ(engine_.requests().back().headers.at("X-Registry-Auth"), "c2VjcmV0");
}

TEST_F(ClientTest, ExplainsWhyNoServerAnswers) {
  engine_.Stop();
  auto error = GetError(Make());
  EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
  EXPECT_THAT(error.what, AllOf(StartsWith("GET /images/json: "), HasSubstr("refused")));
  const Client nowhere("/nowhere/docker.sock");
  error = GetError(nowhere);
  EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
  EXPECT_THAT(error.what, HasSubstr("/nowhere/docker.sock does not exist"));
  const Client long_path("/" + std::string(500, 'a'));
  EXPECT_EQ(GetError(long_path).kind, ErrorKind::kUnavailable);
}

TEST_F(ClientTest, EndsAtTheDeadline) {
  Script("/images/json", {.hang = true});
  const auto start = std::chrono::steady_clock::now();
  const auto error = GetError(Make(Millis(200)));
  EXPECT_EQ(error.kind, ErrorKind::kDeadline);
  EXPECT_THAT(error.what, AllOf(StartsWith("GET /images/json: "), HasSubstr("within 200ms")));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(ClientTest, TheDeadlineHoldsForTheVersionToo) {
  Script("/_ping", {.hang = true});
  const auto status = ProbeEngine(engine_.socket_path(), never_, Millis(200));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kDeadline);
  EXPECT_THAT(status.error().what,
              AllOf(HasSubstr(engine_.socket_path()), HasSubstr("within 200ms")));
}

TEST_F(ClientTest, TheDeadlineHoldsForABodyWithoutEnd) {
  Script("/images/json", {.body = std::string(1000, ' '), .repeat = 1'000'000'000});
  const Client client(
      engine_.socket_path(),
      {.timeout = Millis(300), .max_response_bytes = std::size_t{1} << 40, .observer = {}});
  const auto status = client.Stream(
      {.target = "/images/json"}, Millis(300), [](auto) { return true; }, never_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kDeadline);
}

TEST_F(ClientTest, AStopEndsARequestAtOnce) {
  Script("/images/json", {.hang = true});
  std::stop_source stop;
  std::thread stopper([&] {
    while (engine_.requests().size() < 2) std::this_thread::sleep_for(Millis(1));
    stop.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  const auto body = Make().Get("/images/json", stop.get_token());
  stopper.join();
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().kind, ErrorKind::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_EQ(Make().Get("/images/json", stop.get_token()).error().kind, ErrorKind::kCancelled);
}

TEST_F(ClientTest, RefusesBodiesThatAreTooLong) {
  const Client client(engine_.socket_path(), {.max_response_bytes = 1 << 20, .observer = {}});
  const FakeEngineReply replies[] = {
      {.body = "[]", .content_length = std::uint64_t{1} << 30},
      {.body = std::string(1000, ' '), .repeat = 1'000'000'000},
      {.status = 500, .body = std::string(1000, ' '), .repeat = 1'000'000'000},
  };
  for (const auto& reply : replies) {
    Script("/images/json", reply);
    const auto error = GetError(client);
    EXPECT_EQ(error.kind, ErrorKind::kIncomplete);
    EXPECT_THAT(error.what, HasSubstr("too long"));
  }
}

TEST_F(ClientTest, RefusesBodiesThatAreCutOff) {
  const FakeEngineReply replies[] = {
      {.body = "[]", .content_length = 3},
      {.body = "[]", .chunked = true, .cut_off = true},
      {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n["},
      {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]"},
  };
  for (const auto& reply : replies) {
    Script("/images/json", reply);
    const auto error = GetError(Make());
    EXPECT_EQ(error.kind, ErrorKind::kIncomplete) << error.what;
    EXPECT_THAT(error.what, HasSubstr("cut off"));
  }
}

TEST_F(ClientTest, RefusesWhatIsNotHttp) {
  const std::string settings("\0\0\6\4\0\0\0\0\0\0\5\0\0\x40\0", 15);  // HTTP/2, as gRPC sends it
  for (const std::string& raw :
       {settings, std::string("garbage\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nbad header\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nA: " + std::string(100'000, 'a') + "\r\n\r\n"}) {
    Script("/_ping", {.raw = raw});
    const auto status = ProbeEngine(engine_.socket_path(), never_);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kIncomplete);
    EXPECT_THAT(status.error().what,
                AllOf(HasSubstr(engine_.socket_path()), HasSubstr("not the Docker Engine")));
  }
}

TEST_F(ClientTest, AConnectionThatClosesWithoutAnAnswerIsUnavailable) {
  Script("/_ping", {.raw = ""});
  const auto status = ProbeEngine(engine_.socket_path(), never_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(status.error().what, HasSubstr("without an answer"));
}

TEST_F(ClientTest, StreamsEventsAsTheyArrive) {
  const auto client = Make(Millis(200));  // silence longer than that ends nothing
  std::string got;
  std::mutex mu;
  std::stop_source stop;
  Status status = Done{};
  std::thread reader([&] {
    status = client.Stream(
        {.target = "/events"}, Millis(0),
        [&](std::string_view part) {
          std::scoped_lock lock(mu);
          got += part;
          return got.find("last") == std::string::npos;
        },
        stop.get_token());
  });
  ASSERT_TRUE(engine_.WaitForEventReaders(1));
  engine_.PushEvent("first");
  while (true) {
    std::scoped_lock lock(mu);
    if (!got.empty()) break;
    std::this_thread::yield();
  }
  std::this_thread::sleep_for(Millis(400));
  engine_.PushEvent("last");
  reader.join();
  EXPECT_TRUE(status) << status.error().what;
  EXPECT_EQ(got, "first\nlast\n");
}

TEST_F(ClientTest, AStreamEndsWithTheDaemonOrAStop) {
  for (const bool by_daemon : {true, false}) {
    const auto client = Make();
    std::stop_source stop;
    Status status = Done{};
    std::thread reader([&] {
      status = client.Stream(
          {.target = "/events"}, Millis(0), [](auto) { return true; }, stop.get_token());
    });
    ASSERT_TRUE(engine_.WaitForEventReaders(1));
    if (by_daemon) {
      engine_.EndEvents();
    } else {
      stop.request_stop();
    }
    reader.join();
    EXPECT_EQ(static_cast<bool>(status), by_daemon);
    if (!status) {
      EXPECT_EQ(status.error().kind, ErrorKind::kCancelled);
    }
    ASSERT_TRUE(engine_.WaitForEventReaders(0));
  }
}

TEST_F(ClientTest, AStreamWithAnErrorStatusTakesNothing) {
  Script("/events", FakeEngineReply::Failure(400, "bad filter"));
  bool took = false;
  const auto status = Make().Stream(
      {.target = "/events"}, Millis(0), [&](auto) { return took = true; }, never_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "GET /events: Docker: bad filter");
  EXPECT_FALSE(took);
}

TEST_F(ClientTest, UploadsPartByPart) {
  int parts = 0;
  const auto body = Make().Upload(
      {.method = "POST", .target = "/images/load"}, "application/x-tar",
      [&]() -> Result<std::string> {
        return ++parts > 100 ? std::string() : std::string(10'000, 'x');
      },
      std::chrono::minutes(1), never_);
  ASSERT_TRUE(body) << body.error().what;
  EXPECT_EQ(engine_.requests().back().body.size(), 1'000'000u);
  EXPECT_EQ(engine_.requests().back().headers.at("Content-Type"), "application/x-tar");
}

TEST_F(ClientTest, AnUploadThatCannotGoOnSendsNoEnd) {
  int parts = 0;
  const auto body = Make().Upload(
      {.method = "POST", .target = "/images/load"}, "application/x-tar",
      [&]() -> Result<std::string> {
        if (++parts == 3) return Error{ErrorKind::kInternal, "read failed"};
        return std::string("x");
      },
      std::chrono::minutes(1), never_);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().what, "POST /images/load: read failed");
  EXPECT_THAT(engine_.Log("POST"), IsEmpty());
}

TEST_F(ClientTest, TellsAnObserverEveryRequest) {
  std::vector<std::string> seen;
  const Client client(engine_.socket_path(),
                      {.observer = [&](std::string_view request, std::string_view result, double) {
                        seen.push_back(std::string(request) + " " + std::string(result));
                      }});
  EXPECT_TRUE(client.Get("/images/json?all=0", never_));
  EXPECT_FALSE(client.Get("/images/none:1/json", never_));
  EXPECT_TRUE(client.Send({.target = "/info", .name = "info"}, never_));
  engine_.Stop();
  EXPECT_FALSE(client.Get("/images/json", never_));
  EXPECT_THAT(seen, ElementsAre("GET /images/json 200", "GET /images/none:1/json 404", "info 200",
                                "GET /images/json unavailable"));
}

TEST_F(ClientTest, ServesManyThreads) {
  const auto client = Make();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) good += client.Get("/images/json", never_) ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
}

TEST(Escaped, KeepsWhatNamesOfImagesNeed) {
  EXPECT_EQ(Escaped("localhost:5000/a_b/c-d.e~f"), "localhost%3A5000/a_b/c-d.e~f");
  EXPECT_EQ(Escaped("a b?c#d&e=f%g\r\n\"{\xc3"), "a%20b%3Fc%23d%26e%3Df%25g%0D%0A%22%7B%C3");
}

TEST(ProbeEngine, FindsAnEngine) {
  const FakeDocker engine;
  EXPECT_TRUE(ProbeEngine(engine.socket_path(), {}));
}

}  // namespace
}  // namespace imagesweep::docker
