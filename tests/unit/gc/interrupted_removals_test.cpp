#include "agent/gc/interrupted_removals.h"

#include <gmock/gmock.h>

#include "agent/gc/observe/preconditions.h"
#include "agent/gc/sweeper.h"
#include "tests/support/fake_node.h"
#include "tests/unit/state/age_store_files.h"

namespace imagesweep {
namespace {

using std::chrono::hours;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Puts the names where the node lists them.
struct Restorer final : NameRestorer {
  explicit Restorer(FakeNode& its) : node(its) {}
  Status RestoreNames(const Image& image, const std::vector<std::string>& names,
                      const std::stop_token&) override {
    if (error) return *error;
    for (Image& one : node.images)
      for (const std::string& name : names)
        if (one.id == image.id)
          (name.find('@') == std::string::npos ? one.tags : one.digests)
              .push_back(ImageName::Parse(name));
    given.push_back(names);
    return Done{};
  }
  FakeNode& node;
  std::vector<std::vector<std::string>> given;
  std::optional<Error> error;
};

// An image that lost one tag and the digest before the process was killed.
struct InterruptedTest : testing::Test {
  InterruptedTest() {
    Image image = Img("app", {"registry.example/app:v1", "registry.example/app:v2"});
    (void)history->BeginRemoval({.run = "killed",
                                 .at = clock.Now(),
                                 .id = image.id.text(),
                                 .names = {image.tags[0].text(), image.tags[1].text()},
                                 .digests = {image.digests[0].text()},
                                 .size_bytes = 1,
                                 .code = "Age",
                                 .reason = "unused"});
    whole = image;
    image.tags.pop_back();
    image.digests.clear();
    node.images.push_back(image);
    clock.Advance(std::chrono::minutes(1));
  }
  bool RestoreNames(NameRestorer* restores) {
    restored = RestoreInterrupted(*history, node, restores, clock, "next", {});
    return restored.any;
  }
  std::size_t Open() const { return history->Removals({})->size(); }

  FakeClock clock;
  FakeNode node{clock};
  TempDir directory;
  std::unique_ptr<History> history = History::Open(directory.path(), clock);
  Restorer restorer{node};
  RestoredNames restored;
  Image whole;
};

TEST_F(InterruptedTest, RestoresNamesThatAKilledRemovalDeleted) {
  EXPECT_TRUE(RestoreNames(&restorer));
  ASSERT_EQ(restorer.given.size(), 1U);
  EXPECT_THAT(restorer.given[0],
              testing::UnorderedElementsAre(whole.tags[1].text(), whole.digests[0].text()));
  EXPECT_THAT(restored.warnings, ElementsAre(HasSubstr("restored the names")));
  EXPECT_EQ(Open(), 0U) << "nothing of it went";
  EXPECT_FALSE(RestoreNames(&restorer)) << "once";
}

TEST_F(InterruptedTest, LeavesANameThatNowBelongsToAnotherImage) {
  Image other = Img("other", {"registry.example/app:v2"});
  node.images.push_back(other);
  EXPECT_TRUE(RestoreNames(&restorer));
  EXPECT_THAT(restorer.given, ElementsAre(ElementsAre(whole.digests[0].text())));
}

// The agent is removing images while a user runs a command.
TEST_F(InterruptedTest, SkipsAnImageThatAnotherProcessIsRemoving) {
  node.on_call = [&, lists = 0](const std::string& call) mutable -> std::optional<Error> {
    if (call == "ListImages" && ++lists == 2) node.images.back().tags.clear();
    return std::nullopt;
  };
  EXPECT_FALSE(RestoreNames(&restorer));
  EXPECT_EQ(Open(), 1U);
}

TEST_F(InterruptedTest, SkipsAbsentImagesAndOldOrDoneRemovals) {
  node.images.pop_back();
  EXPECT_FALSE(RestoreNames(&restorer));
  EXPECT_EQ(Open(), 1U) << "whether it went is not known";

  node.images.push_back(whole);
  node.images.back().tags.pop_back();
  clock.Advance(hours(8 * 24));
  EXPECT_FALSE(RestoreNames(&restorer)) << "somebody may have taken the tag since";
}

TEST_F(InterruptedTest, ClosesAnEntryOfACompleteImageAfterTwoHours) {
  node.images.back() = whole;
  EXPECT_FALSE(RestoreNames(&restorer));
  EXPECT_EQ(Open(), 1U) << "another process may be about to remove it";
  clock.Advance(hours(2));
  EXPECT_FALSE(RestoreNames(&restorer));
  EXPECT_EQ(Open(), 0U);
}

TEST_F(InterruptedTest, WarnsOfNamesThatCannotBeRestored) {
  EXPECT_FALSE(RestoreNames(nullptr));
  ASSERT_EQ(restored.warnings.size(), 1U);
  EXPECT_THAT(restored.warnings[0], HasSubstr("registry.example/app:v2"));
  restorer.error = Error{ErrorKind::kUnavailable, "containerd is restarting"};
  EXPECT_FALSE(RestoreNames(&restorer));
  EXPECT_THAT(restored.warnings.back(), HasSubstr("containerd is restarting"));
  EXPECT_EQ(Open(), 1U) << "so that restore still knows them";
}

// The next run, of the agent or of a command, restores the names. Then the image is removed as any
// other, with all its names in the journal.
TEST_F(InterruptedTest, RestoresNamesInTheNextRunBeforeRemovingTheWholeImage) {
  ActivePolicy active;
  active.policy.minimum_age = Millis(0);
  active.policy.maximum_age = std::chrono::minutes(1);
  active.policy.initial_delay = Millis(0);
  active.policy.limits = {1000, 0, 100, Millis(0), 5, 1};
  const std::unique_ptr<AgeStore> age_store = AgeStore::InMemory(clock);
  NodeDependencies parts{node, &node, node, node, *age_store, clock};
  parts.history = history.get();
  parts.name_restorer = &restorer;
  Sweeper sweeper(parts, "node1", std::nullopt);
  sweeper.Sweep(active, {.dry_run = true, .running_for = Millis(hours(1)), .hooks = {}}, {});
  EXPECT_THAT(restorer.given, IsEmpty()) << "a dry run changes nothing";
  clock.Advance(hours(1));
  const Report done =
      sweeper.Sweep(active, {.dry_run = false, .running_for = Millis(hours(1)), .hooks = {}}, {});
  EXPECT_THAT(restorer.given, testing::SizeIs(1));
  EXPECT_THAT(done.warnings, Contains(HasSubstr("restored the names")));
  EXPECT_THAT(node.removed, ElementsAre(whole.id.text()));
  const auto kept = *history->Removals(done.run);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_THAT(kept[0].names,
              testing::UnorderedElementsAre("registry.example/app:v1", "registry.example/app:v2"));
  EXPECT_TRUE(kept[0].done);
}

TEST_F(InterruptedTest, AbortsARealRunOnDockerAndWarnsInADryRun) {
  node.identity.name = "docker";
  node.identity.lists_all_containers = false;
  ActivePolicy active;
  active.policy.minimum_age = Millis(0);
  active.policy.maximum_age = std::chrono::minutes(1);
  active.policy.initial_delay = Millis(0);
  active.policy.limits = {1000, 0, 100, Millis(0), 5, 1};
  const std::unique_ptr<AgeStore> age_store = AgeStore::InMemory(clock);
  Sweeper sweeper({node, &node, node, node, *age_store, clock}, "node1", std::nullopt);
  const Report dry =
      sweeper.Sweep(active, {.dry_run = true, .running_for = Millis(hours(1)), .hooks = {}}, {});
  EXPECT_FALSE(dry.refused);
  EXPECT_THAT(dry.warnings, Contains(HasSubstr("a run that removes images would abort: the runtime "
                                               "is cri-dockerd")));
  EXPECT_THAT(sweeper.Evaluate(active, {}).warnings,
              Contains(HasSubstr("the runtime is cri-dockerd")));
  clock.Advance(hours(1));
  const Report real =
      sweeper.Sweep(active, {.dry_run = false, .running_for = Millis(hours(1)), .hooks = {}}, {});
  ASSERT_TRUE(real.refused);
  EXPECT_EQ(real.refused->source, "runtime");
  EXPECT_THAT(real.refused->error.what, HasSubstr("--runtime-endpoint"));
  EXPECT_THAT(node.removed, IsEmpty());
}

}  // namespace
}  // namespace imagesweep
