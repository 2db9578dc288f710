#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "agent/state/state_dir.h"
#include "agent/state/use_log.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/state/age_store_files.h"

// The time that counts toward an age, with an agent, with commands beside it, and without one.

namespace imagesweep {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

struct AgesTest : testing::Test {
  AgeStore::Options Identified(std::string boot = "boot") const {
    return {.boot_id = std::move(boot), .machine_id = machine};
  }
  // A new process each time, as a command of a user or of cron.
  std::vector<ImageAge> Command(bool count_unwatched = false) {
    auto options = Identified();
    options.count_unwatched = count_unwatched;
    const auto age_store = AgeStore::Open(dir.path(), clock, options);
    age_store->SetNodeUid(node_uid);
    auto ages = LookIdle(*age_store, images);
    unwatched = age_store->unwatched();
    warnings = age_store->warnings();
    return ages;
  }
  // An agent that watches from now on.
  struct Agent {
    Agent(AgesTest& test, std::string boot = "boot")
        : log(test.dir.path(), boot), since(test.clock.Steady()) {
      auto options = test.Identified(boot);
      options.watched_since = [this] { return since; };
      age_store = AgeStore::Open(test.dir.path(), test.clock, options);
      age_store->SetNodeUid(test.node_uid);
      EXPECT_TRUE(log.Write({}, since));
      EXPECT_TRUE(log.Tell(WatchState::kWritten));
    }
    UseLog log;
    std::optional<SteadyTime> since;
    std::unique_ptr<AgeStore> age_store;
  };

  TempDir dir;
  FakeClock clock;
  const std::vector<Image> images = Images({"job"});
  std::string machine = "0123456789abcdef0123456789abcdef";
  std::string node_uid = "6d1f0a52";
  bool unwatched = false;
  std::vector<std::string> warnings;
};

// A job between two commands leaves no trace: nothing is known of that time.
TEST_F(AgesTest, IgnoresTheTimeBetweenTwoCommands) {
  EXPECT_TRUE(Command()[0].just_seen);
  for (const Millis gap : {Millis(1), Millis(minutes(59)), Millis(hours(300))}) {
    clock.Advance(gap);
    const ImageAge age = Command()[0];
    EXPECT_EQ(age.watched_unused_for, Millis(0));
    EXPECT_EQ(age.unused_for, Millis(0));
    EXPECT_TRUE(unwatched);
  }
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(AgesTest, CountsAcceptedUnwatchedTimeForOneDayAtMost) {
  Command(true);
  clock.Advance(hours(20));
  EXPECT_EQ(Command(true)[0].watched_unused_for, hours(20));
  EXPECT_FALSE(unwatched);
  clock.Advance(hours(300));
  const ImageAge age = Command(true)[0];
  EXPECT_EQ(age.watched_unused_for, hours(44));
  EXPECT_EQ(age.unused_for, hours(44));
  // An observation without it does not affect the cron job that accepts the time …
  clock.Advance(minutes(1));
  EXPECT_EQ(Command()[0].watched_unused_for, Millis(0));
  clock.Advance(minutes(1));
  EXPECT_EQ(Command(true)[0].watched_unused_for, hours(44) + minutes(2));
  // … and an agent does not adopt the time that the cron job accepted.
  Agent agent(*this);
  clock.Advance(minutes(3));
  EXPECT_EQ(LookIdle(*agent.age_store, images)[0].watched_unused_for, minutes(3));
}

TEST_F(AgesTest, ARunningAgentWatchesBetweenItsObservationsAndThoseOfCommands) {
  Agent agent(*this);
  LookIdle(*agent.age_store, images);
  clock.Advance(hours(5));
  EXPECT_EQ(LookIdle(*agent.age_store, images)[0].watched_unused_for, hours(5));
  clock.Advance(hours(1));
  EXPECT_EQ(Command()[0].watched_unused_for, hours(6));
  clock.Advance(hours(1));
  const ImageAge age = LookIdle(*agent.age_store, images)[0];
  EXPECT_EQ(age.watched_unused_for, hours(7));
  EXPECT_EQ(age.unused_for, hours(7));
}

// The image was used while the agent was away. Toward minimumAge, only the time watched since then
// counts, even after a short gap. Toward maximumAge, a short gap is left out.
TEST_F(AgesTest, AGapOfAnAgentPausesOneClockAndRestartsTheOther) {
  for (const Millis gap : {Millis(1), Millis(minutes(59))}) {
    std::filesystem::remove(dir.file());
    {
      Agent agent(*this);
      LookIdle(*agent.age_store, images);
      clock.Advance(hours(100));
      LookIdle(*agent.age_store, images);
    }
    clock.Advance(gap);
    Agent restarted(*this);
    clock.Advance(seconds(5));
    for (int look = 0; look < 2; ++look) {
      const ImageAge age = LookIdle(*restarted.age_store, images)[0];
      EXPECT_EQ(age.watched_unused_for, seconds(5));
      EXPECT_EQ(age.unused_for, hours(100) + seconds(5));
    }
  }
}

TEST_F(AgesTest, ALongGapOfAnAgentRestartsBothClocks) {
  Agent agent(*this);
  LookIdle(*agent.age_store, images);
  clock.Advance(hours(100));
  LookIdle(*agent.age_store, images);
  agent.since.reset();  // events are lost; observations continue, at most an hour apart
  for (int look = 0; look < 4; ++look) {
    clock.Advance(minutes(16));
    const ImageAge age = LookIdle(*agent.age_store, images)[0];
    EXPECT_EQ(age.watched_unused_for, Millis(0));
    EXPECT_EQ(age.unused_for, look < 3 ? hours(100) : hours(0)) << look;
    EXPECT_TRUE(agent.age_store->unwatched());
  }
  agent.since = clock.Steady();
  clock.Advance(minutes(10));
  const ImageAge age = LookIdle(*agent.age_store, images)[0];
  EXPECT_EQ(age.watched_unused_for, minutes(10));
  EXPECT_EQ(age.unused_for, minutes(10));
}

TEST_F(AgesTest, RestartsTheWatchedTimeAfterAReboot) {
  {
    Agent agent(*this);
    LookIdle(*agent.age_store, images);
    clock.Advance(hours(10));
    LookIdle(*agent.age_store, images);
  }
  clock.Advance(minutes(1));
  Agent rebooted(*this, "another boot");
  clock.Advance(minutes(2));
  const ImageAge age = LookIdle(*rebooted.age_store, images)[0];
  EXPECT_EQ(age.watched_unused_for, minutes(2));
  EXPECT_EQ(age.unused_for, minutes(2)) << "the boot is older than an hour";
}

// The agent watched all the time, so a command beside it knows the last use.
TEST_F(AgesTest, ACommandSeesTheUsesThatTheAgentWrote) {
  Agent agent(*this);
  LookIdle(*agent.age_store, images);
  clock.Advance(hours(1));
  ASSERT_TRUE(agent.log.Write({images[0].tags.front().text()}, agent.since));
  clock.Advance(seconds(2));
  ImageAge age = Command()[0];
  EXPECT_EQ(age.watched_unused_for, Millis(0));
  EXPECT_EQ(age.last_used, clock.Now());
  clock.Advance(seconds(2));
  age = Command()[0];
  EXPECT_EQ(age.watched_unused_for, Millis(0)) << "it may have been used up to this observation";
  clock.Advance(seconds(2));
  EXPECT_EQ(Command()[0].watched_unused_for, seconds(2));
}

// A use is being written to the file: the command waits for it, but not forever.
TEST_F(AgesTest, ACommandWaitsForTheAgentToHaveWritten) {
  Agent agent(*this);
  LookIdle(*agent.age_store, images);
  clock.Advance(hours(1));
  ASSERT_TRUE(agent.log.Tell(WatchState::kBehind));
  const SteadyTime began = clock.Steady();
  EXPECT_EQ(Command()[0].watched_unused_for, Millis(0));
  EXPECT_TRUE(unwatched);
  EXPECT_GE(clock.Steady() - began, seconds(3));
  EXPECT_LT(clock.Steady() - began, seconds(4));
  ASSERT_TRUE(agent.log.Tell(WatchState::kWritten));
  EXPECT_GE(Command()[0].watched_unused_for, hours(1));
}

TEST_F(AgesTest, AnAgentThatEndedOrLostItsEventsDoesNotWatchForCommands) {
  std::optional<Agent> agent(std::in_place, *this);
  LookIdle(*agent->age_store, images);
  clock.Advance(hours(1));
  EXPECT_EQ(Command()[0].watched_unused_for, hours(1));
  ASSERT_TRUE(agent->log.Tell(WatchState::kNone));
  EXPECT_EQ(Command()[0].watched_unused_for, Millis(0));
  ASSERT_TRUE(agent->log.Tell(WatchState::kWritten));
  EXPECT_EQ(Command()[0].watched_unused_for, hours(1));
  agent.reset();
  EXPECT_EQ(Command()[0].watched_unused_for, Millis(0));
}

// Only one agent tells commands that it watches. Another agent finds the lock taken.
TEST_F(AgesTest, LocksTheStateForOneAgent) {
  WatchLock one(dir.path()), two(dir.path());
  EXPECT_EQ(ReadWatchState(dir.path()), WatchState::kNone);
  EXPECT_TRUE(one.Set(WatchState::kWritten));
  EXPECT_EQ(ReadWatchState(dir.path()), WatchState::kWritten);
  EXPECT_FALSE(two.Set(WatchState::kBehind));
  EXPECT_TRUE(one.Set(WatchState::kBehind));
  EXPECT_EQ(ReadWatchState(dir.path()), WatchState::kBehind);
  EXPECT_TRUE(one.Set(WatchState::kNone));
  EXPECT_TRUE(two.Set(WatchState::kWritten));
  EXPECT_EQ(ReadWatchState(dir.path() / "nothing"), WatchState::kNone);
}

TEST_F(AgesTest, RestartsAgesWhenTheStateWasCopied) {
  struct {
    std::string machine, node_uid, boot;
    bool same;
  } const cases[] = {
      {machine, node_uid, "boot", true},
      {machine, node_uid, "another", true},
      {machine, "", "another", true},
      {"", node_uid, "another", true},
      {std::string(32, 'f'), node_uid, "another", false},
      {machine, "other-uid", "another", false},
      {"", "", "boot",
       true},  // nothing can be compared, and the boot does not show another machine
      {"", "", "another", false},
  };
  for (const auto& c : cases) {
    std::filesystem::remove(dir.file());
    Command(true);
    clock.Advance(hours(10));
    ASSERT_EQ(Command(true)[0].unused_for, hours(10));
    const auto age_store = AgeStore::Open(
        dir.path(), clock,
        AgeStore::Options{.boot_id = c.boot, .machine_id = c.machine, .count_unwatched = true});
    age_store->SetNodeUid(c.node_uid);
    const ImageAge age = LookIdle(*age_store, images)[0];
    EXPECT_EQ(age.unused_for, c.same ? hours(10) : hours(0)) << c.machine << c.node_uid << c.boot;
    EXPECT_EQ(age.just_seen, !c.same);
    EXPECT_EQ(age_store->warnings().size(), c.same ? 0U : 1U);
    clock.Advance(seconds(1));
    EXPECT_GT(LookIdle(*age_store, images)[0].unused_for, Millis(0));
    EXPECT_EQ(age_store->warnings().size(), c.same ? 0U : 1U);
  }
}

TEST(MachineId, IsReadOrNothing) {
  const TempDir root;
  EXPECT_EQ(ReadMachineId(root.path()), "");
  std::filesystem::create_directory(root.path() / "etc");
  const std::string id = "0123456789abcdef0123456789abcdef";
  const std::pair<std::string, std::string> cases[] = {{id + "\n", id},
                                                       {id, id},
                                                       {"", ""},
                                                       {"uninitialized\n", ""},
                                                       {std::string(32, '0'), ""},
                                                       {id + "0", ""},
                                                       {std::string(32, 'x'), ""}};
  for (const auto& [text, expected] : cases) {
    std::ofstream(root.path() / "etc" / "machine-id") << text;
    EXPECT_EQ(ReadMachineId(root.path()), expected) << text;
  }
}

}  // namespace
}  // namespace imagesweep
