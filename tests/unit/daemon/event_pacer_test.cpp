#include "agent/daemon/event_publisher.h"

#include <gmock/gmock.h>

namespace imagesweep {
namespace {

using std::chrono::minutes;
using testing::StartsWith;

const SystemTime kWall{std::chrono::seconds(1'700'000'000)};
const SteadyTime kStart{std::chrono::hours(1)};

NodeEvent Removed(const std::string& note) {
  return {false, "ImagesRemoved", "RemoveImages", note};
}

// Offers an event, and writes it if it is due.
struct Paced {
  EventPacer pacer{"node1"};
  std::optional<NodeEventWrite> At(minutes time, const std::optional<NodeEvent>& event) {
    if (event) pacer.Offer(*event, kWall + time);
    const auto write = pacer.Next(kStart + time);
    if (write) pacer.Written(*write, kStart + time);
    return write;
  }
};

TEST(EventPacer, WritesTheFirstEventOfAReasonAtOnceUnderItsOwnName) {
  Paced paced;
  const auto write = paced.At(minutes(0), Removed("one"));
  ASSERT_TRUE(write);
  EXPECT_FALSE(write->exists);
  EXPECT_THAT(write->name, StartsWith("node1.imagesremoved."));
  EXPECT_TRUE(paced.At(minutes(0), NodeEvent{true, "PolicyInvalid", "LoadPolicy", "x"}));
}

TEST(EventPacer, WritesOnlyTheLastChangeWithinTenMinutes) {
  Paced paced;
  ASSERT_TRUE(paced.At(minutes(0), Removed("one")));
  EXPECT_FALSE(paced.At(minutes(1), Removed("two")));
  EXPECT_FALSE(paced.At(minutes(9), Removed("three")));
  EXPECT_EQ(paced.pacer.NextDue(), kStart + minutes(10));
  const auto write = paced.At(minutes(10), std::nullopt);
  ASSERT_TRUE(write);
  EXPECT_EQ(write->event.note, "three");
  EXPECT_FALSE(write->exists);
  EXPECT_FALSE(paced.pacer.NextDue());
}

TEST(EventPacer, WritesRepeatedEventsAsASeries) {
  Paced paced;
  const auto first = paced.At(minutes(0), Removed("same"));
  ASSERT_TRUE(first);
  EXPECT_FALSE(paced.At(minutes(2), Removed("same")));
  EXPECT_FALSE(paced.At(minutes(4), Removed("same")));
  const auto write = paced.At(minutes(10), std::nullopt);
  ASSERT_TRUE(write);
  EXPECT_TRUE(write->exists);
  EXPECT_EQ(write->name, first->name);
  EXPECT_EQ(write->count, 3);
  EXPECT_EQ(write->last, kWall + minutes(4));
  EXPECT_EQ(paced.At(minutes(21), Removed("same"))->count, 4);
}

TEST(EventPacer, SkipsAnUnchangedEventThatIsOnlyWrittenOnChange) {
  Paced paced;
  NodeEvent would = Removed("would remove 3");
  would.only_when_changed = true;
  ASSERT_TRUE(paced.At(minutes(0), would));
  EXPECT_FALSE(paced.At(minutes(30), would));
  would.note = "would remove 4";
  EXPECT_TRUE(paced.At(minutes(60), would));
}

TEST(EventPacer, WritesAnUrgentEventWithinTenMinutesOfTheLast) {
  EventPacer pacer("node1");
  NodeEvent event = Removed("dry run");
  const auto written = [&](std::chrono::seconds time) {
    const auto write = pacer.Next(kStart + time);
    if (write) pacer.Written(*write, kStart + time);
    return write ? write->event.note : "";
  };
  pacer.Offer(event, kWall);
  EXPECT_EQ(written(std::chrono::seconds(0)), "dry run");
  event.at_once = true;
  event.note = "removes";
  pacer.Offer(event, kWall);
  EXPECT_EQ(written(std::chrono::seconds(9)), "") << "repeated changes are limited too";
  EXPECT_EQ(written(std::chrono::seconds(10)), "removes");
  event.at_once = false;
  event.note = "another edit";
  pacer.Offer(event, kWall);
  EXPECT_EQ(written(std::chrono::seconds(609)), "");
  EXPECT_EQ(written(std::chrono::seconds(610)), "another edit");
}

TEST(EventPacer, AWithdrawnEventIsNotWritten) {
  Paced paced;
  ASSERT_TRUE(paced.At(minutes(0), Removed("would remove 3")));
  EXPECT_FALSE(paced.At(minutes(1), Removed("would remove 4")));
  NodeEvent off{false, "PolicyLoaded", "LoadPolicy", "off"};
  off.withdraws = {"ImagesRemoved", "NeverOffered"};
  EXPECT_TRUE(paced.At(minutes(2), off));
  EXPECT_FALSE(paced.pacer.NextDue());
  const auto again = paced.At(minutes(20), Removed("would remove 3"));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->exists) << "a new event, because the old one was withdrawn";
}

TEST(EventPacer, RetriesAFailedWriteWithoutDelayingOtherReasons) {
  EventPacer pacer("node1");
  pacer.Offer(Removed("one"), kWall);
  const auto write = pacer.Next(kStart);
  ASSERT_TRUE(write);
  pacer.Failed(*write, kStart + minutes(1));
  EXPECT_FALSE(pacer.Next(kStart));
  pacer.Offer({true, "PolicyInvalid", "LoadPolicy", "x"}, kWall);
  EXPECT_EQ(pacer.Next(kStart)->event.reason, "PolicyInvalid");
  EXPECT_EQ(pacer.Next(kStart + minutes(1))->event.reason, "ImagesRemoved");
}

TEST(EventPacer, StartsANewSeriesWhenTheServerLostTheEvent) {
  Paced paced;
  const auto first = paced.At(minutes(0), Removed("same"));
  paced.pacer.Offer(Removed("same"), kWall + minutes(90));
  const auto write = paced.pacer.Next(kStart + minutes(90));
  ASSERT_TRUE(write && write->exists);
  paced.pacer.Forgotten(*write);
  const auto anew = paced.pacer.Next(kStart + minutes(90));
  ASSERT_TRUE(anew);
  EXPECT_FALSE(anew->exists);
  EXPECT_NE(anew->name, first->name);
  EXPECT_EQ(anew->count, 1);
}

}  // namespace
}  // namespace imagesweep
