#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/gc/sweeper.h"
#include "tests/support/fake_node.h"
#include "tests/support/policies.h"

// The users of an image, in complete runs.

namespace imagesweep {
namespace {

using testing::Contains;
using testing::IsEmpty;

struct UsageTest : testing::Test {
  UsageTest() {
    active.policy.minimum_age = Millis(0);
    active.policy.maximum_age = std::chrono::minutes(1);
    active.policy.limits.max_percent_of_images = 100;
  }
  Report Sweep() { return sweeper.Sweep(active, {false, {}, {}}, {}); }
  const ImageAge& AgeOf(const Report& report, const std::string& word) const {
    for (const ImagePos at : Positions(report.observation.images))
      if (report.observation.images[at].id.text() == Id(word)) return report.observation.ages[at];
    ADD_FAILURE() << "no image " << word;
    return report.observation.ages.front();
  }
  void Container(const std::string& pod, const std::string& image) {
    node.use.references.push_back({image, {}, {ImageUserKind::kContainer, "shop", pod, "main"}});
    ++node.use.containers;
  }

  FakeClock clock;
  FakeNode node{clock};
  std::unique_ptr<AgeStore> age_store = AgeStore::InMemory(clock);
  ActivePolicy active{DefaultOfPodsAlone(), {"test", "000000000000"}};
  Sweeper sweeper{{node, &node, node, node, *age_store, clock}, "node1", std::nullopt};
};

// K01: the first observation records each image as used now, or as never seen in use. A container
// that names its image only by ID uses it.
TEST_F(UsageTest, RecordsUsedAndNeverUsedImagesInTheFirstObservation) {
  for (const char* word : {"zero", "one", "two"})
    node.images.push_back(Img(word, {std::string_view(word)}));
  Container("a", Id("one"));
  Container("b", "docker.io/library/two:latest");
  const Report report = sweeper.Evaluate(active, {});
  EXPECT_FALSE(AgeOf(report, "zero").last_used);
  EXPECT_EQ(AgeOf(report, "one").last_used, clock.Now());
  EXPECT_EQ(AgeOf(report, "two").last_used, clock.Now());
  for (const char* word : {"zero", "one", "two"}) EXPECT_TRUE(AgeOf(report, word).just_seen);
}

// K16: dead copies of a restarted container keep the image that they ran until they are removed.
TEST_F(UsageTest, DeadContainersKeepTheirImageWhileTheyExist) {
  node.AddPod("shop", "api", "api:2");
  node.images.push_back(Img("two", {"api:2"}));
  Image old = Img("old", {"api:2"});
  old.tags.clear();  // api:2 before its tag moved
  node.images.push_back(old);
  for (int restart = 0; restart < 4; ++restart) Container("api", Id("old"));
  sweeper.Evaluate(active, {});
  clock.Advance(std::chrono::minutes(2));
  Sweep();
  EXPECT_THAT(node.removed, IsEmpty());
  std::erase_if(node.use.references, [](const ImageReference& r) { return r.text == Id("old"); });
  node.use.containers -= 4;
  Sweep();
  clock.Advance(std::chrono::minutes(2));
  Sweep();
  EXPECT_THAT(node.removed, Contains(Id("old")));
}

// A command without removals must not make the agent believe that the node was watched meanwhile.
TEST_F(UsageTest, KeepsTheGapOfTheAgentAfterACommand) {
  node.images.push_back(Img("idle", {"idle"}));
  std::optional<SteadyTime> watched_since = clock.Steady();
  active.policy.minimum_age = std::chrono::hours(1);
  const auto own = AgeStore::Open(
      "", clock,
      AgeStore::Options{.boot_id = "boot", .watched_since = [&] { return watched_since; }});
  Sweeper agent({node, &node, node, node, *own, clock}, "node1", std::nullopt);
  const SweepOptions as_agent{true, std::chrono::hours(1), {}};
  agent.Sweep(active, as_agent, {});
  clock.Advance(std::chrono::hours(20));
  EXPECT_EQ(AgeOf(agent.Sweep(active, as_agent, {}), "idle").watched_unused_for,
            std::chrono::hours(20));
  watched_since.reset();
  clock.Advance(std::chrono::minutes(30));
  const Report blind = agent.Evaluate(active, {});
  EXPECT_EQ(AgeOf(blind, "idle").watched_unused_for, Millis(0));
  EXPECT_EQ(AgeOf(blind, "idle").unused_for, std::chrono::hours(20)) << "paused";
  EXPECT_THAT(blind.warnings, Contains(testing::HasSubstr("--count-unwatched")));
  watched_since = clock.Steady();
  clock.Advance(std::chrono::minutes(10));
  const Report report = agent.Sweep(active, as_agent, {});
  EXPECT_EQ(AgeOf(report, "idle").watched_unused_for, std::chrono::minutes(10));
  EXPECT_EQ(AgeOf(report, "idle").unused_for, std::chrono::hours(20) + std::chrono::minutes(10));
  EXPECT_THAT(report.warnings, Not(Contains(testing::HasSubstr("--count-unwatched"))));
}

}  // namespace
}  // namespace imagesweep
