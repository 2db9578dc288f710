#include "agent/gc/removal_journal.h"

#include <gmock/gmock.h>

#include "agent/gc/sweeper.h"
#include "tests/support/fake_node.h"
#include "tests/support/policies.h"
#include "tests/unit/state/age_store_files.h"

namespace imagesweep {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// Every unneeded image is removed at once, and pulled again when it is needed.
struct PulledAgainTest : testing::Test {
  PulledAgainTest() {
    active.policy.minimum_age = Millis(0);
    active.policy.maximum_age = std::chrono::minutes(1);
    active.policy.limits.max_percent_of_images = 100;
    node.images.push_back(Img("nightly", {"nightly:1"}));
    Run();
  }
  // A run in another process, ten minutes later.
  Report Run(bool dry_run = false) {
    clock.Advance(std::chrono::minutes(10));
    const auto age_store = AgeStore::Open(
        directory.path(), clock, AgeStore::Options{.boot_id = "boot", .count_unwatched = true});
    const auto history = History::Open(directory.path(), clock);
    Sweeper sweeper({node, &node, node, node, *age_store, clock, history.get()}, "node1",
                    std::nullopt);
    return sweeper.Sweep(active, {dry_run, {}, {}}, {});
  }
  bool IsThere() const {
    return std::ranges::any_of(node.images,
                               [](const Image& image) { return image.id.text() == Id("nightly"); });
  }
  void Pull() { node.images.push_back(Img("nightly", {"nightly:1"})); }

  TempDir directory;
  FakeClock clock;
  FakeNode node{clock};
  ActivePolicy active{DefaultOfPodsAlone(), {"test", "000000000000"}};
};

int Fresh(const Report& report) {
  return static_cast<int>(std::ranges::count_if(
      report.pulled_again, [](const PulledAgain& again) { return again.since_last_run; }));
}

TEST_F(PulledAgainTest, IsCountedOncePerRemovalAndNamedFromTheSecondOn) {
  ASSERT_TRUE(IsThere()) << "the first look makes nothing old";
  Run();
  ASSERT_FALSE(IsThere());
  EXPECT_EQ(Fresh(Run()), 0) << "it is away";
  Pull();
  Report report = Run();  // sees the image again for the first time
  EXPECT_EQ(Fresh(report), 1);
  const auto named = Contains(HasSubstr("nightly:1 was removed and pulled again"));
  EXPECT_THAT(report.warnings, Not(named)) << "once is no habit";
  report = Run();  // and removes the image
  EXPECT_EQ(Fresh(report), 0);
  ASSERT_FALSE(IsThere());
  Pull();  // before any observation
  report = Run(/*dry_run=*/true);
  EXPECT_EQ(Fresh(report), 1);
  EXPECT_THAT(report.warnings,
              Contains("docker.io/library/nightly:1 was removed and pulled again 2 times within 7 "
                       "days: raise maximumAge, or add it to keep.images"));
  report = Run(/*dry_run=*/true);
  EXPECT_EQ(Fresh(report), 0);
  EXPECT_THAT(report.warnings, named) << "for as long as it is so";
  clock.Advance(std::chrono::hours(7 * 24));
  EXPECT_THAT(Run(/*dry_run=*/true).pulled_again, testing::IsEmpty());
}

TEST_F(PulledAgainTest, GivesAdviceForTheCodeOfAnOlderVersion) {
  const auto history = History::Open(directory.path(), clock);
  for (const char* run : {"01A", "01B"}) {
    RemovalEntry entry;
    entry.run = run;
    entry.at = clock.Now();
    entry.id = Id("nightly");
    entry.code = "OfAnOlderVersion";
    ASSERT_TRUE(history->BeginRemoval(entry));
    ASSERT_TRUE(history->Commit(run, entry.id, true));
    clock.Advance(std::chrono::minutes(1));
  }
  EXPECT_THAT(Run(/*dry_run=*/true).warnings,
              Contains(HasSubstr("pulled again 2 times within 7 days: raise minimumAge, or add")));
}

// The facts that restore decides by: registry or archive.
TEST_F(PulledAgainTest, RecordsTheOriginOfTheImageInTheJournal) {
  Run();
  ASSERT_FALSE(IsThere());
  const auto removals = History::Open(directory.path(), clock)->Removals({});
  ASSERT_TRUE(removals);
  ASSERT_EQ(removals->size(), 1U);
  EXPECT_EQ(removals->front().origin, Img("nightly", {"nightly:1"}).origin);
}

TEST_F(PulledAgainTest, CountsInTheNextRunWhenARunAborts) {
  Run();
  ASSERT_FALSE(IsThere());
  Pull();
  node.on_call = [](const std::string& call) -> std::optional<Error> {
    if (call == "ReadPods") return Error{ErrorKind::kUnavailable, "away"};
    return std::nullopt;
  };
  EXPECT_EQ(Fresh(Run()), 0);
  node.on_call = {};
  EXPECT_EQ(Fresh(Run()), 1);
}

}  // namespace
}  // namespace imagesweep
