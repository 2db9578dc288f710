#include "agent/daemon/use_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/unit/state/age_store_files.h"

namespace imagesweep {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

struct UseRecorderTest : testing::Test {
  UseRecorderTest() { Pod("registry.example/pod:v1"); }
  void Event(const std::string& name) { events.references.push_back({name, {}, {}}); }
  void Pod(const std::string& name) { pods.references.push_back({name, {}, {}}); }
  std::vector<std::string> Taken() {
    std::vector<std::string> names;
    for (const ImageReference& reference : recorder.Take()) names.push_back(reference.text);
    return names;
  }
  std::string Written() const { return Rows(dir.file(), "SELECT reference FROM recent_use"); }

  TempDir dir;
  FakeClock clock;
  UseLog log{dir.path(), "boot"};
  UseSource::Uses events;
  kube::Recent pods;
  std::vector<std::string> failures;
  UseRecorder recorder{{[this] {
                          return std::exchange(events, UseSource::Uses{{}, true, events.since});
                        },
                        [this] {
                          // As the watch of pods: existing pods are reported again each time.
                          return kube::Recent{pods.references, std::exchange(pods.complete, true)};
                        }},
                       log,
                       clock,
                       [this](const Error& why) { failures.push_back(why.what); }};
};

TEST_F(UseRecorderTest, WritesAUseInTheNextStepAndKeepsItForTheAgent) {
  events.since = clock.Steady();
  EXPECT_TRUE(recorder.Step());
  EXPECT_EQ(Written(), "registry.example/pod:v1|\n");
  EXPECT_FALSE(recorder.Step()) << "nothing new";
  Event("registry.example/job:v1");
  recorder.Notify();
  EXPECT_EQ(ReadWatchState(dir.path()), WatchState::kBehind);
  EXPECT_TRUE(recorder.Step());
  EXPECT_EQ(Written(), "registry.example/job:v1|\nregistry.example/pod:v1|\n");
  EXPECT_EQ(ReadWatchState(dir.path()), WatchState::kWritten);
  Event("registry.example/last:v1");
  EXPECT_THAT(Taken(), ElementsAre("registry.example/job:v1", "registry.example/last:v1",
                                   "registry.example/pod:v1"));
  EXPECT_THAT(Taken(), ElementsAre("registry.example/pod:v1")) << "it is still there";
  EXPECT_TRUE(recorder.Step()) << "what the agent took is for commands too";
  EXPECT_THAT(failures, IsEmpty());
}

TEST_F(UseRecorderTest, WatchesSinceTheLaterOfBothSources) {
  EXPECT_FALSE(recorder.watched_since());
  recorder.Step();
  EXPECT_FALSE(recorder.watched_since()) << "a runtime without events is not watched";
  EXPECT_EQ(ReadWatchState(dir.path()), WatchState::kNone);
  clock.Advance(seconds(1));
  events.since = clock.Steady();
  recorder.Step();
  EXPECT_EQ(recorder.watched_since(), events.since);
  EXPECT_EQ(ReadWatchState(dir.path()), WatchState::kWritten);
  clock.Advance(seconds(5));
  pods.complete = false;
  recorder.Take();
  EXPECT_EQ(recorder.watched_since(), clock.Steady());
  EXPECT_TRUE(recorder.Step()) << "commands learn of it";
  events.since.reset();
  recorder.Notify();
  EXPECT_NE(ReadWatchState(dir.path()), WatchState::kWritten);
  recorder.Step();
  EXPECT_EQ(ReadWatchState(dir.path()), WatchState::kNone);
  EXPECT_FALSE(recorder.watched_since());
}

TEST_F(UseRecorderTest, DoesNotWatchBeforePodsWereListed) {
  pods.references.clear();
  events.since = clock.Steady();
  recorder.Step();
  EXPECT_FALSE(recorder.watched_since());
  clock.Advance(seconds(3));
  Pod("registry.example/pod:v1");
  recorder.Step();
  EXPECT_EQ(recorder.watched_since(), clock.Steady());
}

// The events sent meanwhile are not read yet.
TEST_F(UseRecorderTest, RecordsAGapWhenTheProcessWasStopped) {
  events.since = clock.Steady();
  for (int step = 0; step < 20; ++step) {
    recorder.Step();
    clock.Advance(seconds(1));
  }
  EXPECT_EQ(recorder.watched_since(), events.since);
  clock.Advance(hours(1));
  EXPECT_FALSE(recorder.watched_since());
  recorder.Take();
  EXPECT_EQ(recorder.watched_since(), clock.Steady());
}

TEST_F(UseRecorderTest, RetriesAFailedWriteAndReportsNoWatchMeanwhile) {
  events.since = clock.Steady();
  recorder.Step();
  std::filesystem::remove(dir.file());
  std::filesystem::create_directory(dir.file());
  Event("registry.example/job:v1");
  EXPECT_TRUE(recorder.Step());
  EXPECT_EQ(ReadWatchState(dir.path()), WatchState::kNone);
  EXPECT_FALSE(failures.empty());
  EXPECT_TRUE(recorder.watched_since()) << "the agent itself knows";
  std::filesystem::remove(dir.file());
  EXPECT_TRUE(recorder.Step());
  EXPECT_EQ(Written(), "registry.example/job:v1|\n");
  EXPECT_EQ(ReadWatchState(dir.path()), WatchState::kWritten);
}

}  // namespace
}  // namespace imagesweep
