#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "agent/gc/sweeper.h"
#include "tests/support/fake_node.h"
#include "tests/support/policies.h"

// Runs for space on a node where some images cannot be removed. These do not starve the others.

namespace imagesweep {
namespace {

using std::chrono::minutes;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::string Name(const std::string& text) {
  return ImageName::Parse(text).text();
}

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

// A disk at 80 % of 100 GiB. Each removal frees the size that the runtime reports for the image.
class SpaceRemover final : public ImageRemover {
 public:
  explicit SpaceRemover(FakeNode& node) : node_(node) {}

  std::vector<std::string> asked;  // names, in order
  std::function<std::optional<Error>(const Image&)> refuses = [](const Image&) {
    return std::nullopt;
  };
  std::function<std::string(const Image&)> spares = [](const Image&) { return std::string(); };

  std::string ReasonToSkip(const Image& image) override { return spares(image); }
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override {
    asked.push_back(image.display_name());
    if (auto error = refuses(image)) return *std::move(error);
    (*node_.disk).available_bytes += image.size_bytes;
    return node_.Remove(image, guard, stop);
  }

 private:
  FakeNode& node_;
};

struct UnavailableTest : testing::Test {
  UnavailableTest() {
    active.policy.minimum_age = Millis(0);
    active.policy.maximum_age = Millis(0);
    active.policy.remove_superseded = false;
    active.policy.limits = {1000, 0, 100, Millis(0), 5, 1};
    active.policy.keep.last_per_repository = 0;
    active.policy.disk = {{75, 74}, {0, 0}, {0, Millis(0)}};
    node.disk = DiskUsage{"/var", 100 * kGiB, 20 * kGiB, 100, 100};
  }
  // Least recently used first, in the order of the calls.
  void Pull(const std::string& name, std::uint64_t size) {
    node.images.push_back(Img(name, {name}, size));
    clock.Advance(minutes(1));
    Evaluate();
  }
  Report Evaluate() { return sweeper.Evaluate(active, {}); }
  Report Sweep(std::uint64_t free_space_target = 0) {
    clock.Advance(minutes(1));
    SweepOptions options;
    options.dry_run = dry_run;
    options.free_space_target = free_space_target;
    return sweeper.Sweep(active, options, {});
  }

  bool dry_run = false;
  FakeClock clock;
  FakeNode node{clock};
  SpaceRemover remover{node};
  std::unique_ptr<AgeStore> age_store = AgeStore::InMemory(clock);
  ActivePolicy active{DefaultOfPodsAlone(), {"test", "000000000000"}};
  Sweeper sweeper{{node, &node, remover, node, *age_store, clock}, "node1", std::nullopt};
};

TEST_F(UnavailableTest, RemovesOthersWhenAnImageIsLargerThanMaxBytes) {
  Pull("big:1", 9 * kGiB);
  for (const char* name : {"a:1", "b:1", "c:1"}) Pull(name, 3 * kGiB);
  active.policy.limits.max_bytes = 5 * kGiB;
  const Report report = Sweep();
  EXPECT_EQ(remover.asked, (std::vector<std::string>{Name("a:1")}));
  Sweep();
  EXPECT_EQ(remover.asked.size(), 2U);
  EXPECT_EQ(remover.asked[1], Name("b:1"));
  Sweep();
  EXPECT_EQ(remover.asked.size(), 2U) << "6 GiB are enough: 74 %";
}

// The answer of cri-dockerd for an image that a container outside of the CRI uses.
TEST_F(UnavailableTest, RemovesOthersWhenAnImageCannotBeRemoved) {
  Pull("bad:1", 9 * kGiB);
  for (const char* name : {"a:1", "b:1", "c:1"}) Pull(name, 3 * kGiB);
  remover.refuses = [](const Image& image) -> std::optional<Error> {
    if (image.display_name() != Name("bad:1")) return std::nullopt;
    return Error{ErrorKind::kInternal,
                 "RemoveImage: UNKNOWN: conflict: unable to remove repository reference (must "
                 "force) - container is using its referenced image"};
  };
  EXPECT_EQ(Sweep().Count(OutcomeKind::kFailed), 1U);
  const Report report = Sweep();
  EXPECT_EQ(remover.asked, (std::vector<std::string>{Name("bad:1"), Name("a:1"), Name("b:1")}));
  EXPECT_EQ(report.Count(OutcomeKind::kFailed), 0U);
  const Decision& bad = report.plan.decisions[ImagePos(1)];
  EXPECT_EQ(bad.code, Code::kLimit);
  EXPECT_THAT(bad.reason, HasSubstr("container is using its referenced image"));
}

TEST_F(UnavailableTest, IgnoresImagesInUseElsewhereInTheGoalOfTheNextRun) {
  for (int i = 0; i < 5; ++i) Pull("held" + std::to_string(i) + ":1", 3 * kGiB);
  for (const char* name : {"a:1", "b:1", "c:1"}) Pull(name, 3 * kGiB);
  remover.spares = [](const Image& image) {
    return image.display_name().find("held") == std::string::npos ? std::string()
                                                                  : "in use outside of the CRI";
  };
  for (int run = 0; run < 4; ++run) Sweep();
  EXPECT_EQ(remover.asked, (std::vector<std::string>{Name("a:1"), Name("b:1")}));
}

TEST_F(UnavailableTest, AFreeSpaceTargetIsReachedWithTheOthers) {
  Pull("bad:1", 9 * kGiB);
  for (const char* name : {"a:1", "b:1", "c:1"}) Pull(name, 3 * kGiB);
  remover.refuses = [](const Image& image) -> std::optional<Error> {
    if (image.display_name() != Name("bad:1")) return std::nullopt;
    return Error{ErrorKind::kInternal, "busy"};
  };
  Sweep(22 * kGiB);
  EXPECT_EQ(remover.asked.size(), 2U);
  Sweep(26 * kGiB);
  EXPECT_EQ(remover.asked.size(), 3U) << "the one that failed is not tried again";
  EXPECT_EQ(node.disk->available_bytes, 26 * kGiB);
}

// The runtime may never have received the removal that was in progress when it stopped.
TEST_F(UnavailableTest, RetriesAtOnceAfterARuntimeCrash) {
  for (const char* name : {"a:1", "b:1"}) Pull(name, 3 * kGiB);
  remover.refuses = [](const Image&) -> std::optional<Error> {
    return Error{ErrorKind::kUnavailable, "RemoveImage: connection refused"};
  };
  EXPECT_EQ(Sweep().Count(OutcomeKind::kFailed), 2U);
  remover.refuses = [](const Image&) { return std::nullopt; };
  EXPECT_EQ(Sweep().Count(OutcomeKind::kRemoved), 2U);
}

TEST_F(UnavailableTest, ReportsAFullSecondImageFilesystem) {
  Pull("a:1", 3 * kGiB);
  const DiskUsage empty{"/content", 100 * kGiB, 90 * kGiB, 100, 100};
  node.mountpoints = {"/content", "/var", "/var"};
  node.other_disks = {{"/content", empty}};
  EXPECT_EQ(Evaluate().observation.disk->mountpoint, "/var");
  EXPECT_EQ(Sweep().Count(OutcomeKind::kRemoved), 1U);
}

TEST_F(UnavailableTest, CountsTheContentStoreOnAnotherDisk) {
  Pull("a:1", 3 * kGiB);
  const std::string root = "/var/lib/containerd/io.containerd.";
  node.mountpoints = {root + "snapshotter.v1.overlayfs"};
  const std::string content = root + "content.v1.content";
  node.other_disks = {{content, DiskUsage{content, 100 * kGiB, 5 * kGiB, 100, 100}}};
  const Report full = Evaluate();
  EXPECT_EQ(full.observation.disk->mountpoint, content);
  EXPECT_EQ(full.plan.removals.size(), 1U);
  node.other_disks = {{content, Error{ErrorKind::kNotFound, "no such directory"}}};
  const Report alone = Evaluate();
  EXPECT_EQ(alone.observation.disk->mountpoint, "/var");
  EXPECT_THAT(alone.warnings, Not(Contains(HasSubstr("no such directory"))));
  node.other_disks = {{content, Error{ErrorKind::kDenied, "permission denied"}}};
  EXPECT_THAT(Evaluate().warnings, Contains(HasSubstr("permission denied")));
}

TEST_F(UnavailableTest, WaitsForTheDiskOnlyAfterRemovals) {
  for (const char* name : {"a:1", "b:1"}) Pull(name, 3 * kGiB);
  dry_run = true;
  Sweep();
  EXPECT_THAT(node.calls, Not(Contains("Sync")));
  dry_run = false;
  std::uint64_t late = 0;  // freed, but not shown yet
  remover.refuses = [&](const Image& image) {
    late = image.size_bytes;
    (*node.disk).available_bytes -= late;
    return std::nullopt;
  };
  node.on_call = [&](const std::string& call) -> std::optional<Error> {
    if (call == "Sync") (*node.disk).available_bytes += std::exchange(late, 0);
    return std::nullopt;
  };
  active.policy.disk.low_percent = 72;  // 8 GiB: both are chosen
  Sweep(23 * kGiB);
  EXPECT_EQ(remover.asked.size(), 1U) << "what is settled shows that it is enough";
}

TEST_F(UnavailableTest, PicksTheSameImagesInADryRunForAFreeSpaceTarget) {
  for (const char* name : {"a:1", "b:1", "c:1"}) Pull(name, 3 * kGiB);
  dry_run = true;
  std::vector<std::string> would;
  const Report dry = Sweep(25 * kGiB);
  for (const Outcome& outcome : dry.outcomes)
    if (outcome.kind == OutcomeKind::kWouldRemove)
      would.push_back(dry.observation.images[outcome.image].display_name());
  dry_run = false;
  Sweep(25 * kGiB);
  EXPECT_EQ(would, remover.asked);
  EXPECT_EQ(would.size(), 2U);
}

}  // namespace
}  // namespace imagesweep
