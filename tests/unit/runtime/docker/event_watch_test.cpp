#include "agent/runtime/docker/event_watch.h"

#include <gmock/gmock.h>

#include <atomic>
#include <set>
#include <thread>

#include "agent/model/recent_use.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_docker.h"
#include "tests/support/images.h"

namespace imagesweep::docker {
namespace {

using testing::IsSupersetOf;

std::string Event(const std::string& type, const std::string& action, const std::string& id,
                  const std::string& attributes) {
  return R"({"Type":")" + type + R"(","Action":")" + action + R"(","Actor":{"ID":")" + id +
         R"(","Attributes":{)" + attributes + R"(}},"timeNano":1})";
}

std::string Created(const std::string& container, const std::string& image) {
  return Event("container", "create", container, R"("image":")" + image + '"');
}

struct EventWatchTest : testing::Test {
  ~EventWatchTest() override { Stop(); }
  void Start() {
    thread = std::jthread([this](const std::stop_token& stop) { watch.Run(stop); });
    ASSERT_TRUE(engine.WaitForEventReaders(1));
  }
  void Stop() {
    thread.request_stop();
    if (thread.joinable()) thread.join();
  }
  // Drains until all of `texts` came.
  std::set<std::string> Until(const std::set<std::string>& texts) {
    std::set<std::string> found;
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!std::ranges::includes(found, texts) && std::chrono::steady_clock::now() < patience) {
      const UseSource::Uses uses = watch.Drain();
      complete = complete && uses.complete;
      for (const ImageReference& reference : uses.references) found.insert(reference.text);
      std::this_thread::yield();
    }
    return found;
  }

  FakeClock clock;
  FakeDocker engine;
  Client client{engine.socket_path()};
  std::atomic<int> subscribed{0}, lost{0};
  EventWatch watch{
      client,
      clock,
      {.subscribed = [this] { ++subscribed; }, .lost = [this](const Error&) { ++lost; }}};
  bool complete = true;
  std::jthread thread;
};

TEST_F(EventWatchTest, KnowsTheContainersThatExistAtTheSubscription) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}});
  engine.AddContainer({.id = "c1", .image = "app:1", .image_id = Id("a")});
  Start();
  EXPECT_THAT(Until({Id("a"), "app:1"}), IsSupersetOf({Id("a"), std::string("app:1")}));
  EXPECT_TRUE(complete);
  EXPECT_EQ(subscribed, 1);
}

TEST_F(EventWatchTest, RemembersAContainerThatCameAndWentByTheIdOfItsImage) {
  engine.AddImage({.id = Id("a"), .tags = {"job:1"}});
  Start();
  engine.PushEvent(Created("c1", "job:1"));
  Until({Id("a"), "job:1"});
  EXPECT_TRUE(complete);
  EXPECT_TRUE(watch.Drain().references.empty());
}

TEST_F(EventWatchTest, CountsAUseOfAnUnknownImageAsALoss) {
  engine.AddImage({.id = Id("a"), .tags = {"end:1"}});
  Start();
  engine.PushEvent(Created("c1", "gone:1"));
  engine.PushEvent(Created("c2", "end:1"));
  Until({"end:1"});
  EXPECT_FALSE(complete);
}

TEST_F(EventWatchTest, CountsAnUnreadableEventAsALoss) {
  engine.AddImage({.id = Id("a"), .tags = {"end:1"}});
  Start();
  engine.PushEvent("{broken");
  engine.PushEvent(Created("c2", "end:1"));
  Until({"end:1"});
  EXPECT_FALSE(complete);
}

TEST_F(EventWatchTest, MarksImagesThatCameAgain) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}});
  Start();
  const std::string again(kCameAgain);
  engine.PushEvent(Event("image", "pull", "app:1", R"("name":"app")"));
  Until({again + "app:1", again + Id("a")});
  engine.PushEvent(Event("image", "tag", Id("a"), R"("name":"app:2")"));
  Until({again + "app:2", again + Id("a")});
  EXPECT_TRUE(complete);
}

TEST_F(EventWatchTest, IsIncompleteAfterTheStreamEndedAndListsAgain) {
  engine.AddImage({.id = Id("a"), .tags = {"app:1"}});
  Start();
  Until({});
  engine.AddContainer({.id = "c1", .image = "app:1", .image_id = Id("a")});
  engine.EndEvents();
  Until({"app:1"});
  EXPECT_FALSE(complete);
  EXPECT_EQ(lost, 1);
}

}  // namespace
}  // namespace imagesweep::docker
