#include "agent/daemon/removal_mode.h"

#include <gmock/gmock.h>

#include "agent/daemon/event_publisher.h"
#include "agent/daemon/policy_store.h"
#include "tests/support/policies.h"

namespace imagesweep {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct RemovalModeTest : testing::Test {
  static std::shared_ptr<const ActivePolicy> Policy(const std::string& sha256, bool dry_run,
                                                    bool suspend = false) {
    ActivePolicy active{DefaultOfPodsAlone(), {"file/p", sha256}};
    active.policy.dry_run = dry_run;
    active.policy.suspend = suspend;
    return std::make_shared<const ActivePolicy>(std::move(active));
  }
  // The log output of these steps.
  template <typename Steps>
  std::string Logged(Steps steps) {
    testing::internal::CaptureStderr();
    steps();
    return testing::internal::GetCapturedStderr();
  }

  std::shared_ptr<Log> log = *Log::Create(LogFormat::kJson, "info");
  std::vector<NodeEvent> told;
  RemovalModeWatch mode{false, *log, [this](NodeEvent event) { told.push_back(std::move(event)); }};
};

TEST_F(RemovalModeTest, ReportsTheEndOfDryRunAtOnceInTheLogAndByAnEvent) {
  EXPECT_THAT(Logged([&] { mode.PolicyLoaded(Policy("111", true)); }), IsEmpty());
  EXPECT_FALSE(told.at(0).at_once) << "the first policy turns nothing on or off";
  EXPECT_THAT(Logged([&] { mode.PolicyLoaded(Policy("222", false)); }),
              AllOf(HasSubstr("\"Turned dry run off\""), HasSubstr("\"sha256\":\"222\""),
                    Not(HasSubstr("removals"))));
  EXPECT_TRUE(told.at(1).at_once);
  EXPECT_THAT(told.at(1).note, EndsWith("dry run is off: images are removed"));
  EXPECT_THAT(told.at(1).withdraws, ElementsAre("ImagesWouldBeRemoved"));
  EXPECT_THAT(Logged([&] { mode.PolicyLoaded(Policy("333", false)); }), IsEmpty());
  EXPECT_FALSE(told.at(2).at_once) << "another edit leaves it off";
  EXPECT_THAT(Logged([&] { mode.PolicyLoaded(Policy("444", true)); }),
              HasSubstr("\"Turned dry run on\""));
  EXPECT_TRUE(told.at(3).at_once);
}

TEST_F(RemovalModeTest, ReportsSuspendAtOnce) {
  mode.PolicyLoaded(Policy("111", false));
  EXPECT_THAT(Logged([&] { mode.PolicyLoaded(Policy("222", false, true)); }),
              AllOf(HasSubstr("\"Suspended removals\""), Not(HasSubstr("dry run"))));
  EXPECT_TRUE(told.at(1).at_once);
  EXPECT_THAT(told.at(1).note, HasSubstr("suspended: nothing is removed"));
  EXPECT_THAT(Logged([&] { mode.PolicyLoaded(Policy("111", false)); }),
              HasSubstr("\"Resumed removals\""));
  EXPECT_TRUE(told.at(2).at_once);
}

TEST_F(RemovalModeTest, TheFlagOverridesThePolicy) {
  RemovalModeWatch forced(true, *log, [this](NodeEvent event) { told.push_back(event); });
  forced.PolicyLoaded(Policy("111", true));
  EXPECT_THAT(Logged([&] { forced.PolicyLoaded(Policy("222", false)); }), IsEmpty());
  EXPECT_FALSE(told.at(1).at_once);
  EXPECT_THAT(told.at(1).note, HasSubstr("dry run: nothing is removed"));
}

TEST_F(RemovalModeTest, FollowsTheOverrideOfTheNodesLabels) {
  ActivePolicy active = *Policy("111", true);
  Override canary{{{"pool", "canary"}}, "", {}};
  canary.policy = std::make_shared<const imagesweep::Policy>(Policy("", false)->policy);
  active.policy.overrides = {canary};
  mode.PolicyLoaded(std::make_shared<const ActivePolicy>(active));
  EXPECT_THAT(told.at(0).note,
              EndsWith("the node labels that select an override are not read yet"));
  EXPECT_THAT(Logged([&] {
                mode.LabelsRead({{"pool", "web"}});
              }),
              IsEmpty())
      << "no override holds";
  ASSERT_EQ(told.size(), 2U);
  EXPECT_THAT(told[1].note, EndsWith("dry run: nothing is removed"));
  EXPECT_FALSE(told[1].at_once);
  EXPECT_THAT(Logged([&] {
                mode.LabelsRead({{"pool", "canary"}});
              }),
              HasSubstr("\"Turned dry run off\""));
  ASSERT_EQ(told.size(), 3U);
  EXPECT_TRUE(told[2].at_once);
  mode.LabelsRead({{"pool", "canary"}});
  EXPECT_EQ(told.size(), 3U) << "each change is reported once";
  EXPECT_THAT(Logged([&] { mode.PolicyLoaded(Policy("222", true)); }),
              HasSubstr("\"Turned dry run on\""));
}

// The API server gets no event of a dry run after dry run is turned off.
TEST_F(RemovalModeTest, NoEventOfADryRunFollowsItsEnd) {
  EventPacer pacer("node1");
  const SteadyTime start{std::chrono::hours(1)};
  const auto written_at = [&](std::chrono::seconds time) {
    std::vector<std::string> notes;
    for (const NodeEvent& event : std::exchange(told, {})) pacer.Offer(event, SystemTime(time));
    while (const auto write = pacer.Next(start + time)) {
      notes.push_back(write->event.note);
      pacer.Written(*write, start + time);
    }
    return notes;
  };
  const auto would_remove = [&](int images) {
    told.push_back({false, "ImagesWouldBeRemoved", "EvaluateImages",
                    "Dry run: would remove " + std::to_string(images), true});
  };
  mode.PolicyLoaded(Policy("111", true));
  would_remove(3);
  EXPECT_EQ(written_at(std::chrono::seconds(0)).size(), 2U);
  would_remove(4);
  EXPECT_THAT(written_at(std::chrono::seconds(30)), IsEmpty());
  mode.PolicyLoaded(Policy("222", false));
  EXPECT_THAT(written_at(std::chrono::seconds(60)), ElementsAre(HasSubstr("dry run is off")));
  EXPECT_THAT(written_at(std::chrono::hours(1)), IsEmpty());
  mode.PolicyLoaded(Policy("333", true));
  would_remove(3);
  EXPECT_THAT(written_at(std::chrono::hours(2)),
              ElementsAre("Dry run: would remove 3", HasSubstr("dry run: nothing is removed")));
}

}  // namespace
}  // namespace imagesweep
