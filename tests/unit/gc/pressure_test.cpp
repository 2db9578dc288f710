#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "agent/gc/sweeper.h"
#include "agent/model/image_index.h"
#include "tests/support/fake_node.h"
#include "tests/support/policies.h"

// Runs on a node that other processes change at the same time, whose disk fills up, or that was
// never observed before.

namespace imagesweep {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::IsEmpty;
using testing::SizeIs;

// Records the calls to the runtime, and the needed images at that time.
class Watched final : public ImageRemover {
 public:
  explicit Watched(FakeNode& node) : node_(node) {}

  std::vector<Image> calls;
  std::vector<std::string> violations;
  std::uint64_t inodes_freed = 0;  // for each removal
  std::uint64_t bytes_freed = 0;

  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override {
    if (std::string why = guard.WhyNot(); !why.empty()) return Removal::Skipped(std::move(why));
    calls.push_back(image);
    const ImageIndex index(node_.images);
    for (const auto* references : {&node_.pods.references, &node_.use.references})
      for (const ImageReference& reference : *references)
        for (const auto at : index.Resolve(reference))
          if (At(node_.images, at).id == image.id)
            violations.push_back(image.display_name() + " for " + Describe(reference.by));
    auto removed = node_.Remove(image, guard, stop);
    if (removed && node_.disk)
      node_.disk =
          DiskUsage{"/var", node_.disk->capacity_bytes, node_.disk->available_bytes + bytes_freed,
                    node_.disk->inodes, node_.disk->inodes_free + inodes_freed};
    return removed;
  }

 private:
  FakeNode& node_;
};

struct PressureTest : testing::Test {
  PressureTest() {
    active.policy.minimum_age = Millis(0);
    active.policy.maximum_age = Millis(0);
    active.policy.remove_superseded = false;
    active.policy.limits = {1000, 0, 100, Millis(0), 5, 1};
    active.policy.keep.last_per_repository = 0;
  }
  Report Sweep() { return sweeper.Sweep(active, {false, {}, {}}, {}); }
  void Pull(const std::string& name) { node.images.push_back(Img(name, {name})); }
  void Run(const std::string& pod, const std::string& image) { node.AddPod("shop", pod, image); }
  bool Has(const std::string& word) {
    return std::ranges::find(node.images, ImageId(Id(word)), &Image::id) != node.images.end();
  }

  FakeClock clock;
  FakeNode node{clock};
  Watched remover{node};
  std::unique_ptr<AgeStore> age_store = AgeStore::InMemory(clock);
  ActivePolicy active{DefaultOfPodsAlone(), {"test", "000000000000"}};
  Sweeper sweeper{{node, &node, remover, node, *age_store, clock}, "node1", std::nullopt};
};

// K02: of two images, one with a runtime handler and one without, only the unused one is removed,
// with the handler that it was listed with.
TEST_F(PressureTest, RemovesAnUnusedImageOfARuntimeHandler) {
  for (const char* name : {"zero:1", "one:1", "two:1"}) Pull(name);
  node.images[1].runtime_handler = node.images[2].runtime_handler = "kata";
  Run("isolated", "one:1");
  Run("plain", "two:1");
  active.policy.maximum_age = Millis(1);
  Sweep();
  clock.Advance(minutes(1));
  Sweep();
  ASSERT_THAT(remover.calls, SizeIs(1));
  EXPECT_EQ(remover.calls[0].id.text(), Id("zero:1"));
  EXPECT_EQ(remover.calls[0].runtime_handler, "kata");
}

// K14: during every call of a run, pods come and go, images are pulled, and another collector
// deletes images. No image is removed that something needs at that moment, no run fails, and
// afterwards the remaining images are removed.
TEST_F(PressureTest, RemovesNoNeededImageUnderConcurrentChanges) {
  active.policy.maximum_age = Millis(1);
  node.disk = DiskUsage{"/var", 1000, 200, 100, 100};
  std::mt19937_64 random(14);
  std::set<std::string> running;
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const auto churn = [&] {
    const std::string name = "app" + std::to_string(below(15));
    switch (below(4)) {
      case 0:
        if (!running.insert(name).second) break;
        if (!Has(name)) Pull(name);
        Run(name, name);
        break;
      case 1:
        if (running.erase(name) != 0) node.RemovePod(name);
        break;
      case 2:  // the other collector
        if (!running.contains(name))
          std::erase_if(node.images, [&](const Image& i) { return i.id.text() == Id(name); });
        break;
      default:
        break;
    }
  };
  int removed = 0, skipped = 0;
  for (int cycle = 0; cycle < 2000; ++cycle) {
    node.on_call = [&](const std::string& call) -> std::optional<Error> {
      if (call == "ListImages" || call == "ImageStatus" || call == "ReadUse") churn();
      return std::nullopt;
    };
    const Report report = Sweep();
    node.on_call = {};
    EXPECT_EQ(report.Count(OutcomeKind::kFailed), 0U);
    removed += static_cast<int>(report.Count(OutcomeKind::kRemoved));
    skipped += static_cast<int>(report.Count(OutcomeKind::kSkipped));
    clock.Advance(minutes(1));
  }
  EXPECT_THAT(remover.violations, IsEmpty());
  EXPECT_GT(removed, 100);
  EXPECT_GT(skipped, 10) << "the recheck must have found something";
  Sweep();
  // Longer than the pause after a removal that did not last because the image was pulled again.
  clock.Advance(hours(7));
  ASSERT_FALSE(Sweep().refused);
  EXPECT_EQ(node.images.size(), running.size() + 1) << "those in use and the system's own";
}

// K15: with bytes at 40 % and inodes at 85 %, unused images are removed until inodes reach the low
// threshold.
TEST_F(PressureTest, RemovesOnlyUnusedImagesToTheLowThresholdOfInodes) {
  node.disk = DiskUsage{"/var", 1000, 600, 1000, 150};
  active.policy.disk = {{75, 65}, {75, 65}, {0, Millis(0)}};
  remover.inodes_freed = 100;
  for (const char* name : {"api:1", "web:1"}) {
    Pull(name);
    Run(name, name);
  }
  for (const char* name : {"a:1", "b:1", "c:1", "d:1", "e:1", "f:1"}) Pull(name);
  const Report report = Sweep();
  EXPECT_THAT(remover.calls, SizeIs(2)) << "2 x 100 inodes to come from 85 % to 65 %";
  EXPECT_EQ(node.disk->inodes_used_percent(), 65);
  EXPECT_TRUE(Has("api:1") && Has("web:1"));
  EXPECT_THAT(remover.violations, IsEmpty());
  EXPECT_THAT(report.outcomes.at(0).detail, IsEmpty());
  Sweep();
  EXPECT_THAT(remover.calls, SizeIs(2)) << "below the high mark nothing more goes";
}

// X07: the age of these images is unknown, so none is removed by age before it was watched that
// long. A machine that slept, or whose clock jumped, watched nothing.
TEST_F(PressureTest, RemovesNothingByAgeOnANewNodeUntilWatchedThatLong) {
  for (int i = 0; i < 200; ++i) Pull("old" + std::to_string(i) + ":1");
  active.policy.maximum_age = hours(2);
  Sweep();
  clock.JumpWallClock(hours(12));
  Sweep();
  clock.Advance(hours(1));
  Sweep();
  clock.Advance(hours(1));
  Sweep();
  EXPECT_THAT(remover.calls, IsEmpty());
  clock.Advance(Millis(1));
  Sweep();
  EXPECT_THAT(remover.calls, SizeIs(200));
}

// X07: a full disk does not wait for ages. But minimumAge holds, and only unneeded images are
// removed.
TEST_F(PressureTest, RemovesOnlyUnusedImagesForSpaceOnANewNode) {
  for (int i = 0; i < 200; ++i) Pull("i" + std::to_string(i) + ":1");
  for (int i = 0; i < 5; ++i) Run("p" + std::to_string(i), "i" + std::to_string(i) + ":1");
  node.disk = DiskUsage{"/var", 1'000'000'000, 0, 100, 100};
  active.policy.disk = {{75, 65}, {0, 0}, {0, Millis(0)}};
  active.policy.minimum_age = minutes(5);
  Sweep();
  EXPECT_THAT(remover.calls, IsEmpty());
  clock.Advance(minutes(5));
  Sweep();
  EXPECT_THAT(remover.calls, SizeIs(195));
  EXPECT_THAT(remover.violations, IsEmpty());
}

// The image size in the runtime is not the space that a removal frees. The disk shows when there is
// enough space.
TEST_F(PressureTest, StopsAtTheFreeSpaceTarget) {
  node.disk = DiskUsage{"/var", 1'000'000, 100'000, 100, 100};
  for (const char* name : {"a", "b", "c", "d", "e"}) Pull(name);
  remover.bytes_freed = 20'000;  // each; 1,024 by its size
  SweepOptions options{false, {}, {}};
  options.free_space_target = 150'000;
  const Report report = sweeper.Sweep(active, options, {});
  EXPECT_THAT(remover.calls, SizeIs(3));
  EXPECT_EQ(node.disk->available_bytes, 160'000U);
  EXPECT_THAT(report.stopped_early, testing::HasSubstr("which is enough"));
  EXPECT_THAT(remover.violations, IsEmpty());
}

TEST_F(PressureTest, KeepsNeededImagesWhenTheTargetCannotBeReached) {
  node.disk = DiskUsage{"/var", 1'000'000, 100'000, 100, 100};
  for (const char* name : {"a", "b"}) Pull(name);
  Run("web", "b");
  remover.bytes_freed = 1'000;
  SweepOptions options{false, {}, {}};
  options.free_space_target = 900'000;
  const Report report = sweeper.Sweep(active, options, {});
  EXPECT_THAT(remover.calls, SizeIs(1));
  EXPECT_TRUE(Has("b"));
  EXPECT_THAT(remover.violations, IsEmpty());
  EXPECT_LT(report.after->disk->available_bytes, options.free_space_target);
}

TEST_F(PressureTest, EndsADryRunForAFreeSpaceTargetBySizes) {
  node.disk = DiskUsage{"/var", 1'000'000, 100'000, 100, 100};
  for (const char* name : {"a", "b", "c", "d"}) Pull(name);
  SweepOptions options{true, {}, {}};
  options.free_space_target = 100'000 + 1'500;
  const Report report = sweeper.Sweep(active, options, {});
  EXPECT_THAT(remover.calls, IsEmpty());
  EXPECT_THAT(report.outcomes, SizeIs(2));  // of 1,024 bytes each
}

// XFS shows freed space a moment later.
TEST_F(PressureTest, WaitsForSpaceThatIsFreedLate) {
  node.disk = DiskUsage{"/var", 1'000'000, 100'000, 100, 100};
  for (const char* name : {"a", "b", "c"}) Pull(name);
  std::optional<SteadyTime> removed_at;
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "Remove") removed_at = clock.Steady();
    if (removed_at && clock.Steady() - *removed_at >= Millis(300))
      node.disk = DiskUsage{"/var", 1'000'000, 300'000, 100, 100};
    return std::nullopt;
  };
  SweepOptions options{false, {}, {}};
  options.free_space_target = 200'000;
  sweeper.Sweep(active, options, {});
  EXPECT_THAT(remover.calls, SizeIs(1));
}

}  // namespace
}  // namespace imagesweep
