#include "agent/daemon/event_publisher.h"

#include <gmock/gmock.h>

#include <thread>

namespace imagesweep {
namespace {

using testing::ElementsAre;

// Returns the answers to the writes in order, and stops the publisher after the last one.
struct EventPublisherTest : testing::Test {
  const RealClock clock{};
  std::shared_ptr<Log> log = *Log::Create(LogFormat::kText, "error");
  std::stop_source stop;
  std::vector<Status> answers;
  std::vector<NodeEventWrite> written;

  EventPublisher publisher{"node1",
                           [this](const NodeEventWrite& write, const std::stop_token&) {
                             written.push_back(write);
                             const Status answer = answers[written.size() - 1];
                             if (written.size() == answers.size()) stop.request_stop();
                             return answer;
                           },
                           *log, clock, Backoff(Millis(1), Millis(1), 1)};

  std::vector<std::string> Notes() const {
    std::vector<std::string> notes;
    for (const NodeEventWrite& write : written) notes.push_back(write.event.note);
    return notes;
  }
};

TEST_F(EventPublisherTest, WritesOfferedEvents) {
  answers = {Done{}, Done{}};
  publisher.Offer({false, "ImagesRemoved", "RemoveImages", "three"});
  publisher.Offer({true, "PolicyInvalid", "LoadPolicy", "line 3"});
  publisher.Run(stop.get_token());
  EXPECT_THAT(Notes(), ElementsAre("three", "line 3"));
}

TEST_F(EventPublisherTest, RetriesAnEventWhenTheWriteFails) {
  answers = {Error{ErrorKind::kUnavailable, "away"}, Error{ErrorKind::kDenied, "403"}, Done{}};
  publisher.Offer({false, "ImagesRemoved", "RemoveImages", "three"});
  publisher.Run(stop.get_token());
  EXPECT_THAT(Notes(), ElementsAre("three", "three", "three"));
}

TEST_F(EventPublisherTest, AcceptsOffersWhileAWriteHangs) {
  EventPublisher slow(
      "node1",
      [](const NodeEventWrite&, const std::stop_token& quit) -> Status {
        std::mutex mu;
        std::unique_lock lock(mu);
        std::condition_variable_any().wait(lock, quit, [] { return false; });
        return Error{ErrorKind::kCancelled, "stopped"};
      },
      *log, clock, Backoff(Millis(1), Millis(1), 1));
  std::jthread thread([&](const std::stop_token& quit) { slow.Run(quit); });
  for (int i = 0; i < 10'000; ++i)
    slow.Offer({false, "ImagesRemoved", "RemoveImages", std::to_string(i)});
}

}  // namespace
}  // namespace imagesweep
