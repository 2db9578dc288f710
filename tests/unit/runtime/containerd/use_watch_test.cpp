#include "agent/runtime/containerd/use_watch.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "tests/support/fake_clock.h"
#include "tests/unit/runtime/containerd/fake_containerd.h"

namespace imagesweep::containerd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const grpc::Status kBroken(grpc::StatusCode::UNAVAILABLE, "Socket closed");

struct UseWatchTest : testing::Test {
  UseWatchTest() {
    for (const char* name : {"job", "end", "before", "there", "after", "a", "b"})
      Record("registry.example/" + std::string(name) + ":v1", name);
  }
  // As containerd and its CRI plugin record an image: by its name and by its ID.
  void Record(const std::string& name, const std::string& image) {
    auto& images = fake.namespaces["k8s.io"].images;
    images[name] = "sha256:manifest-" + image;
    images["sha256:id-" + image] = "sha256:manifest-" + image;
  }
  ~UseWatchTest() override { Stop(); }
  void Start() {
    thread = std::jthread([this](const std::stop_token& stop) {
      watch.Run(stop);
      ended = true;
    });
  }
  void Stop() {
    thread.request_stop();
    fake.let_go.release(8);  // an abandoned call may arrive late
    if (thread.joinable()) thread.join();
  }
  // Drains until `last` is among the names, and collects them.
  std::vector<std::string> NamesUntil(const std::string& last, bool* complete = nullptr) {
    std::vector<std::string> names;
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (names.empty() || names.back() != last) {
      if (std::chrono::steady_clock::now() > patience) {
        ADD_FAILURE() << "no " << last;
        break;
      }
      const UseWatch::Uses uses = watch.Drain();
      if (complete != nullptr) *complete = *complete && uses.complete;
      bool found = false;
      for (const ImageReference& reference : uses.references) {
        if (reference.text == last)
          found = true;
        else if (reference.text.starts_with("sha256:"))
          ids.push_back(reference.text);
        else
          names.push_back(reference.text);
      }
      if (found) names.push_back(last);
      std::this_thread::yield();
    }
    return names;
  }

  // Whether all uses up to this one are known.
  bool IsCompleteUntilTheNext() {
    fake.EmitCreated("k8s.io", "next", "registry.example/end:v1");
    bool complete = true;
    NamesUntil("registry.example/end:v1", &complete);
    return complete;
  }

  // Waits until the containers were listed after the n-th subscription, so that events count again.
  bool AwaitLook(int n) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (looks < n && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
    return looks >= n;
  }

  FakeClock clock;
  FakeContainerd fake;
  std::vector<std::string> ids;  // that NamesUntil read
  std::atomic<int> looks{0};
  std::atomic<int> losses{0};
  std::string loss;
  UseWatch::Options options{.most_names = 8,
                            .hooks = {.subscribed = [this] { ++looks; },
                                      .lost =
                                          [this](const Error& why) {
                                            loss = why.what;
                                            ++losses;
                                          }}};
  UseWatch watch{fake.Channel(), clock, options};
  std::atomic<bool> ended{false};
  std::jthread thread;
};

TEST_F(UseWatchTest, TheImageOfACreatedContainerIsUsedOnce) {
  Start();
  for (const char* id : {"first", "second"})
    fake.EmitCreated("k8s.io", id, "registry.example/job:v1");
  fake.EmitCreated("k8s.io", "third", "registry.example/end:v1");
  ASSERT_TRUE(fake.AwaitSubscription(1));
  bool complete = true;
  const auto names = NamesUntil("registry.example/end:v1", &complete);
  EXPECT_EQ(names.back(), "registry.example/end:v1");
  EXPECT_EQ(names.front(), "registry.example/job:v1");
  EXPECT_TRUE(complete);
  EXPECT_THAT(watch.Drain().references, IsEmpty());
  EXPECT_THAT(fake.event_filters(),
              ElementsAre(R"(topic=="/containers/create",namespace=="k8s.io")",
                          R"(topic=="/images/create",namespace=="k8s.io")",
                          R"(topic=="/images/update",namespace=="k8s.io")"));
  EXPECT_THAT(ids, testing::Contains("sha256:id-job"));
}

// The name may refer to another image later.
TEST_F(UseWatchTest, AUseIsRememberedByTheIdThatTheNameHadThen) {
  Start();
  ASSERT_TRUE(AwaitLook(1));
  fake.EmitCreated("k8s.io", "first", "registry.example/job:v1");
  NamesUntil("registry.example/job:v1");
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::ranges::count(ids, "sha256:id-job") == 0 &&
         std::chrono::steady_clock::now() < patience)
    for (const ImageReference& reference : watch.Drain().references) ids.push_back(reference.text);
  EXPECT_THAT(ids, testing::Contains("sha256:id-job"));
}

TEST_F(UseWatchTest, AUseOfAnImageThatCannotBeToldIsALoss) {
  Start();
  ASSERT_TRUE(AwaitLook(1));
  watch.Drain();
  fake.EmitCreated("k8s.io", "first", "registry.example/gone:v1");
  EXPECT_FALSE(IsCompleteUntilTheNext());
}

TEST_F(UseWatchTest, AnImageThatIsPulledOrNamedAgainCameAgain) {
  Start();
  ASSERT_TRUE(AwaitLook(1));
  for (const char* topic : {"/images/create", "/images/update"}) {
    fake.Emit("k8s.io", topic, "\x0a\x17registry.example/job:v1");
    const std::vector<std::string> names = NamesUntil("came-again sha256:id-job");
    EXPECT_THAT(names, testing::Contains("came-again registry.example/job:v1"));
  }
}

TEST_F(UseWatchTest, TheContainerIsNamed) {
  fake.namespaces["k8s.io"].containers = {{"abc", "registry.example/job:v1"}};
  Start();
  ASSERT_TRUE(AwaitLook(1));
  const UseWatch::Uses uses = watch.Drain();
  ASSERT_THAT(uses.references, SizeIs(2)) << "the name, and the ID";
  EXPECT_EQ(uses.references[0].text, "registry.example/job:v1");
  EXPECT_EQ(uses.references[0].by.kind, ReferrerKind::kContainer);
  EXPECT_EQ(uses.references[0].by.container, "abc");
}

TEST_F(UseWatchTest, WhatIsNotACreatedContainerOfTheCriIsIgnored) {
  Start();
  fake.EmitCreated("moby", "a", "registry.example/docker:v1");
  fake.Emit("k8s.io", "/images/create", "\x0a\x01x");
  fake.Emit("k8s.io", "/tasks/start", "\x0a\x01x");
  fake.EmitCreated("k8s.io", "without-image", "");
  fake.EmitCreated("k8s.io", "c", "registry.example/end:v1");
  bool complete = true;
  EXPECT_THAT(NamesUntil("registry.example/end:v1", &complete),
              ElementsAre("registry.example/end:v1"));
  EXPECT_TRUE(complete);
}

TEST_F(UseWatchTest, ABrokenSubscriptionIsMadeAgainAndFollowedByALookAndSaysSo) {
  fake.namespaces["k8s.io"].containers = {{"there", "registry.example/there:v1"}};
  Start();
  fake.EmitCreated("k8s.io", "a", "registry.example/before:v1");
  EXPECT_THAT(NamesUntil("registry.example/before:v1"),
              UnorderedElementsAre("registry.example/there:v1", "registry.example/before:v1"));
  EXPECT_TRUE(watch.Drain().complete);
  fake.EndSubscription(kBroken);
  ASSERT_TRUE(AwaitLook(2));
  bool complete = true;
  NamesUntil("registry.example/there:v1", &complete);
  EXPECT_FALSE(complete) << "it may have been used, and gone, before the new subscription";
  EXPECT_EQ(losses, 1);
  EXPECT_THAT(loss, AllOf(HasSubstr("Events.Subscribe"), HasSubstr("Socket closed")));
  fake.EmitCreated("k8s.io", "b", "registry.example/after:v1");
  complete = true;
  EXPECT_THAT(NamesUntil("registry.example/after:v1", &complete),
              ElementsAre("registry.example/after:v1"));
  EXPECT_TRUE(complete);
}

TEST_F(UseWatchTest, AnOrderlyEndBreaksItAsWell) {
  Start();
  fake.EndSubscription(grpc::Status::OK);
  ASSERT_TRUE(fake.AwaitSubscription(2));
  EXPECT_FALSE(watch.Drain().complete);
}

TEST_F(UseWatchTest, WhatNeverComesBackIsToldOnceAndNoIntervalIsComplete) {
  struct {
    const char* call;
    grpc::Status status;
  } const cases[] = {{"Events.Subscribe", {grpc::StatusCode::PERMISSION_DENIED, "no"}},
                     {"Containers.ListStream", {grpc::StatusCode::INTERNAL, "no"}}};
  for (const auto& [call, status] : cases) {
    fake.faults = {{call, status}};
    losses = 0;
    std::atomic<int> waits{0};
    struct Counting final : Clock {
      SystemTime Now() const override { return {}; }
      SteadyTime Steady() const override { return {}; }
      bool Sleep(Millis, const std::stop_token& stop) const override {
        incomplete = incomplete && !watch->Drain().complete;
        return ++*waits < 20 && !stop.stop_requested();
      }
      UseWatch* watch = nullptr;
      std::atomic<int>* waits = nullptr;
      mutable bool incomplete = true;
    } counting;
    UseWatch refused(fake.Channel(), counting, options);
    counting.watch = &refused;
    counting.waits = &waits;
    refused.Run({});
    EXPECT_EQ(waits, 20) << call;
    EXPECT_TRUE(counting.incomplete) << call;
    EXPECT_EQ(losses, 1) << call;
  }
}

// The time is read when a subscription was made and when it ended, before that counts as a loss.
struct AtTheEnd final : Clock {
  SystemTime Now() const override { return {}; }
  SteadyTime Steady() const override {
    then();
    return {};
  }
  bool Sleep(Millis, const std::stop_token&) const override { return false; }
  std::function<void()> then;
};

TEST_F(UseWatchTest, MoreNamesThanAreRememberedAreNotComplete) {
  for (const std::size_t names : {8, 9}) {
    auto& containers = fake.namespaces["k8s.io"].containers;
    while (containers.size() < names)
      containers[std::to_string(containers.size())] = std::to_string(containers.size()) + ":v1";
    AtTheEnd end;
    UseWatch bounded(fake.Channel(), end, options);
    UseWatch::Uses uses;
    end.then = [&] {
      UseWatch::Uses more = bounded.Drain();
      std::ranges::move(more.references, std::back_inserter(uses.references));
      uses.complete = uses.complete && more.complete;
    };
    fake.EndSubscription(kBroken);
    bounded.Run({});
    EXPECT_THAT(uses.references, SizeIs(8));
    EXPECT_EQ(uses.complete, names == 8);
  }
}

TEST_F(UseWatchTest, AnEventThatCannotBeReadIsALostOne) {
  Start();
  fake.Emit("k8s.io", "/containers/create", "\x0a\xff");
  EXPECT_FALSE(IsCompleteUntilTheNext());
}

// A lost use began before the following list, so all later uses are known.
TEST_F(UseWatchTest, WatchesSinceTheListAfterTheLastLoss) {
  EXPECT_FALSE(watch.Drain().since) << "nobody listens yet";
  clock.Advance(std::chrono::hours(1));
  const SteadyTime began = clock.Steady();
  Start();
  ASSERT_TRUE(AwaitLook(1));
  EXPECT_EQ(watch.Drain().since, began);
  clock.Advance(std::chrono::hours(1));
  fake.Emit("k8s.io", "/containers/create", "\x0a\xff");
  fake.EmitCreated("k8s.io", "c", "registry.example/end:v1");
  NamesUntil("registry.example/end:v1");
  EXPECT_EQ(watch.Drain().since, clock.Steady());
  clock.Advance(std::chrono::hours(1));
  EXPECT_EQ(watch.Drain().since, clock.Steady() - std::chrono::hours(1));
  fake.EndSubscription(kBroken);
  ASSERT_TRUE(AwaitLook(2));
  EXPECT_GE(watch.Drain().since, began + std::chrono::hours(2));
}

TEST_F(UseWatchTest, ARuntimeWithoutTheServiceIsLeftAloneForGood) {
  FakeContainerd other(/*with_services=*/false);
  UseWatch none(other.Channel(), clock, options);
  none.Run({});
  EXPECT_EQ(losses, 0);
  const UseWatch::Uses uses = none.Drain();
  EXPECT_TRUE(uses.complete) << "as before there were events";
  EXPECT_THAT(uses.references, IsEmpty());
  EXPECT_FALSE(uses.since) << "nobody hears of a container there";
}

TEST_F(UseWatchTest, AServiceThatWasThereIsWaitedFor) {
  Start();
  fake.EmitCreated("k8s.io", "a", "registry.example/a:v1");
  NamesUntil("registry.example/a:v1");
  fake.EndSubscription({grpc::StatusCode::UNIMPLEMENTED, "unknown service"});
  EXPECT_TRUE(fake.AwaitSubscription(2));
}

TEST_F(UseWatchTest, StopsAtOnceWhileItWaits) {
  int subscriptions = 0;
  for (const char* hangs : {"", "Containers.ListStream"}) {
    fake.hangs = hangs;
    ended = false;
    Start();
    ASSERT_TRUE(fake.AwaitSubscription(++subscriptions));
    const auto asked = std::chrono::steady_clock::now();
    thread.request_stop();
    thread.join();
    EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(10)) << hangs;
    EXPECT_TRUE(ended);
  }
}

}  // namespace
}  // namespace imagesweep::containerd
