#include <unistd.h>

#include <chrono>
#include <thread>

#include "agent/runtime/cri/delete.h"
#include "agent/runtime/cri/stubs.h"
#include "tests/support/open_guard.h"
#include "tests/unit/runtime/cri/fixture.h"

namespace imagesweep::cri {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// One read of each kind, and its result.
Status Ask(const std::string& question, Client& client, const std::stop_token& stop) {
  const auto done = [](auto result) -> Status {
    if (result) return Done{};
    return std::move(result).error();
  };
  if (question == "identity") return done(client.runtime.Identity(stop));
  if (question == "images") return done(client.runtime.ListImages(stop));
  if (question == "image") return done(client.runtime.ImageStatus(ImageId(Id("a")), stop));
  if (question == "use") return done(client.runtime.ReadUse(stop));
  if (question == "filesystems") return done(client.runtime.ImageFilesystems(stop));
  if (question == "remove") {
    OpenGuard guard;
    return done(CriImageRemover(client.connection).Remove(Img("a", {}), guard, stop));
  }
  return Error{ErrorKind::kInvalid, question};
}

struct Call {
  std::string method;
  std::string question;
};
const Call kCalls[] = {
    {"Version", "identity"},    {"ListImages", "images"},       {"StreamImages", "images"},
    {"ImageStatus", "image"},   {"ListContainers", "use"},      {"StreamContainers", "use"},
    {"ContainerStatus", "use"}, {"ListPodSandbox", "use"},      {"PodSandboxStatus", "use"},
    {"Status", "use"},          {"ImageFsInfo", "filesystems"}, {"RemoveImage", "remove"},
};

// A node on which every call in the table is made.
void Furnish(FakeCri& fake, bool streams) {
  for (const char* word : {"a", "b", "c"}) fake.AddImage(FakeImage::From(Img(word, {})));
  fake.Edit([&](FakeNode& node) { node.streams = streams; });
  for (const char* word : {"a", "b", "c"}) fake.RunPod({"shop", word, word}, "web", Id(word));
}

bool IsStream(const std::string& method) {
  return method.starts_with("Stream");
}

std::vector<Fault::Hang> WaysToHang(const std::string& method) {
  if (IsStream(method))
    return {Fault::Hang::kBeforeHeaders, Fault::Hang::kAfterHeaders, Fault::Hang::kHalfway};
  return {Fault::Hang::kBeforeHeaders, Fault::Hang::kAfterHeaders};
}

// C03
TEST(CriFaultsTest, EveryCallThatHangsEndsByItsDeadline) {
  for (const auto& [method, question] : kCalls) {
    for (const auto hang : WaysToHang(method)) {
      FakeCri fake;
      Furnish(fake, IsStream(method));
      Client client(fake, Millis(400));
      fake.Set(method, {.hang = hang});
      const auto started = std::chrono::steady_clock::now();

      const auto answer = Ask(question, client, {});

      ASSERT_FALSE(answer) << method;
      EXPECT_EQ(answer.error().kind, ErrorKind::kDeadline) << answer.error().what;
      EXPECT_THAT(answer.error().what, AllOf(HasSubstr(method + ": "), HasSubstr("within 400ms")));
      EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
      EXPECT_EQ(fake.Count(method), 1u) << method;
      fake.ClearFaults();
      if (question != "remove") {
        Client patient(fake);
        EXPECT_TRUE(Ask(question, patient, {})) << method << " after";
      }
    }
  }
}

// C03
TEST(CriFaultsTest, EveryCallThatHangsEndsByTheStopToken) {
  for (const auto& [method, question] : kCalls) {
    for (const auto hang : WaysToHang(method)) {
      FakeCri fake;
      Furnish(fake, IsStream(method));
      Client client(fake, std::chrono::hours(1));
      fake.Set(method, {.hang = hang});
      std::stop_source stop;
      fake.Before(method, [&stop](const FakeCall&) { stop.request_stop(); });

      const auto answer = Ask(question, client, stop.get_token());

      ASSERT_FALSE(answer) << method;
      EXPECT_EQ(answer.error().kind, ErrorKind::kCancelled) << answer.error().what;
      EXPECT_THAT(answer.error().what, HasSubstr(method + ": shutting down"));
    }
  }
}

TEST(CriFaultsTest, AllCallsOfOneQuestionShareOneDeadline) {
  FakeCri fake;
  Furnish(fake, false);
  Client client(fake, Millis(400));
  fake.Set("ContainerStatus", {.delay = Millis(300)});  // three of them
  const auto answer = Ask("use", client, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kDeadline);
}

TEST(CriFaultsTest, SendsNothingOnceStopped) {
  FakeCri fake;
  Furnish(fake, true);
  Client client(fake);
  std::stop_source stop;
  stop.request_stop();
  for (const auto& [method, question] : kCalls) {
    const auto answer = Ask(question, client, stop.get_token());
    ASSERT_FALSE(answer) << question;
    EXPECT_EQ(answer.error().kind, ErrorKind::kCancelled);
  }
  EXPECT_TRUE(fake.calls().empty());
}

// C01
TEST(CriFaultsTest, ARuntimeThatIsStartingIsAnErrorAndThenAnswers) {
  struct Row {
    grpc::StatusCode code;
    ErrorKind kind;
  };
  for (const auto& [code, kind] : {Row{grpc::StatusCode::UNKNOWN, ErrorKind::kInternal},
                                   Row{grpc::StatusCode::UNAVAILABLE, ErrorKind::kUnavailable}}) {
    FakeCri fake;
    Furnish(fake, false);
    Client client(fake);
    fake.SetAll({.code = code, .message = "server is not initialized yet"});
    for (const auto& [method, question] : kCalls) {
      const auto answer = Ask(question, client, {});
      ASSERT_FALSE(answer) << question;
      EXPECT_EQ(answer.error().kind, kind) << answer.error().what;
      EXPECT_THAT(answer.error().what, HasSubstr("server is not initialized yet"));
    }
    EXPECT_EQ(fake.node().images.size(), 3u);

    // Images come first, and the containers are not listed yet: a correct empty list, which the
    // check for the agent's own container must detect.
    fake.ClearFaults();
    std::vector<FakeContainer> later;
    fake.Edit([&](FakeNode& node) { later.swap(node.containers); });
    const auto images = client.runtime.ListImages({});
    ASSERT_TRUE(images) << images.error().what;
    EXPECT_EQ(images->size(), 3u);
    EXPECT_EQ(client.runtime.ReadUse({})->containers, 0u);

    fake.Edit([&](FakeNode& node) { later.swap(node.containers); });
    EXPECT_EQ(client.runtime.ReadUse({})->containers, 3u);
  }
}

TEST(CriFaultsTest, AReplyOfFiveMebibytesPassesAndOneOfSeventeenIsAnError) {
  struct Row {
    std::size_t bytes;
    bool passes;
  };
  for (const auto& [bytes, passes] : {Row{5 << 20, true}, Row{17 << 20, false}}) {
    for (const auto& [method, question] :
         {Call{"ListImages", "images"}, Call{"ListContainers", "use"},
          Call{"StreamImages", "images"}, Call{"StreamContainers", "use"}}) {
      FakeCri fake;
      Furnish(fake, IsStream(method));
      Client client(fake);
      fake.Set(method, {.pad_bytes = bytes});
      const auto answer = Ask(question, client, {});
      ASSERT_EQ(static_cast<bool>(answer), passes) << method;
      if (passes) continue;
      EXPECT_EQ(answer.error().kind, ErrorKind::kIncomplete);
      EXPECT_THAT(answer.error().what, HasSubstr(method + ": RESOURCE_EXHAUSTED"));
    }
  }
}

TEST(CriFaultsTest, AStreamMayNotTakeTheNodesMemory) {
  FakeCri fake;
  Furnish(fake, true);
  Client client(fake);
  fake.Edit([](FakeNode& node) {
    node.stream_batch = 1;
    while (node.images.size() < 8) node.images.push_back(node.images.front());
  });
  fake.Set("StreamImages", {.pad_bytes = 10 << 20});
  const auto answer = Ask("images", client, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kIncomplete);
  EXPECT_THAT(answer.error().what, HasSubstr("64 MiB"));
}

TEST(CriFaultsTest, FindsTheRuntimeAgainAfterItRestartedOnTheSamePath) {
  FakeCri fake;
  Furnish(fake, false);
  Client client(fake);
  const auto before = client.runtime.Identity({});
  ASSERT_TRUE(before) << before.error().what;
  EXPECT_EQ(before->name, "containerd");
  EXPECT_EQ(before->version, "1.7.24");
  EXPECT_EQ(before->endpoint, fake.Endpoint());
  EXPECT_EQ(*client.runtime.Identity({}), *before);

  fake.Stop();
  for (const auto& [method, question] : kCalls) {
    const auto down = Ask(question, client, {});
    ASSERT_FALSE(down) << question;
    EXPECT_EQ(down.error().kind, ErrorKind::kUnavailable) << down.error().what;
    EXPECT_THAT(down.error().what, HasSubstr("does not exist"));
  }
  fake.Start();
  ASSERT_TRUE(client.connection->stubs().channel->WaitForConnected(
      std::chrono::system_clock::now() + std::chrono::seconds(20)));

  const auto after = client.runtime.Identity({});
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_NE(after->socket_inode, before->socket_inode);
  const auto images = client.runtime.ListImages({});
  ASSERT_TRUE(images) << images.error().what;
  EXPECT_EQ(images->size(), 3u);
}

TEST(CriFaultsTest, ARuntimeThatDiesInTheMiddleOfACallIsAnError) {
  FakeCri fake;
  Furnish(fake, false);
  Client client(fake);
  fake.Set("ListImages", {.hang = Fault::Hang::kAfterHeaders});
  std::jthread killer;
  fake.Before("ListImages", [&](const FakeCall&) { killer = std::jthread([&] { fake.Stop(); }); });
  const auto images = client.runtime.ListImages({});
  ASSERT_FALSE(images);
  EXPECT_EQ(images.error().kind, ErrorKind::kUnavailable) << images.error().what;
}

TEST(CriFaultsTest, TheObserverHearsOfEveryCall) {
  FakeCri fake;
  Furnish(fake, false);
  std::vector<std::string> heard;
  Client client(fake, std::chrono::seconds(30),
                [&](std::string_view method, std::string_view code, double seconds) {
                  EXPECT_GE(seconds, 0);
                  EXPECT_LT(seconds, 30);
                  heard.push_back(std::string(method) + " " + std::string(code));
                });
  ASSERT_TRUE(Ask("images", client, {}));
  fake.Set("ImageStatus", {.code = grpc::StatusCode::DATA_LOSS, .message = "torn"});
  ASSERT_FALSE(Ask("image", client, {}));
  EXPECT_THAT(heard,
              ElementsAre("StreamImages UNIMPLEMENTED", "ListImages OK", "ImageStatus DATA_LOSS"));
}

TEST(CriFaultsTest, AnOddPathReachesTheSocket) {
  FakeCri fake;
  const std::string odd = fake.socket_path() + " 50%?x=#1.sock";
  ASSERT_EQ(link(fake.socket_path().c_str(), odd.c_str()), 0);
  Runtime runtime(std::make_shared<Connection>(Endpoint{odd}));
  const auto identity = runtime.Identity({});
  ASSERT_TRUE(identity) << identity.error().what;
}

}  // namespace
}  // namespace imagesweep::cri
