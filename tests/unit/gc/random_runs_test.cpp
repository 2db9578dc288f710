#include <gtest/gtest.h>

#include <set>

#include "agent/gc/sweeper.h"
#include "tests/support/fake_node.h"
#include "tests/unit/gc/plan/random_node.h"

// Complete runs on random nodes with random policies.

namespace imagesweep {
namespace {

constexpr std::uint64_t kCases = 1'000;

// One node with its agent, which runs a few times while images appear and time passes.
struct Life {
  explicit Life(std::uint64_t seed) : metadata(seed) {
    for (const std::string& text : metadata.seen().sandbox_images)
      node.use.sandbox_images.push_back(text);
    const auto& references = metadata.seen().references;
    for (std::size_t i = 0; i < references.size(); ++i)
      node.AddPod("shop", "p" + std::to_string(i), references[i].text);
    if (metadata.seen().disk) node.disk = *metadata.seen().disk;
    active.policy = metadata.policy();
    active.policy.initial_delay = Millis(0);
    active.policy.interval = std::chrono::hours(24);
    if (metadata.Maybe(2)) active.policy.limits = {1000, 0, 100, Millis(0), 5, 1};
    active.policy.limits.removal_delay = Millis(0);
    for (const Image& image : metadata.seen().images) {
      node.images.push_back(image);
      Sweep(true);
      clock.Advance(std::chrono::minutes(metadata.Below(60)));
    }
  }
  Report Sweep(bool dry_run) {
    return sweeper.Sweep(active, {dry_run, Millis(std::chrono::hours(100)), {}}, {});
  }

  RandomWorld metadata;
  FakeClock clock;
  FakeNode node{clock};
  std::unique_ptr<AgeStore> age_store = AgeStore::InMemory(clock);
  ActivePolicy active;
  Sweeper sweeper{{node, &node, node, node, *age_store, clock}, "node1", std::nullopt};
};

std::vector<std::string> Ids(const Report& report, OutcomeKind kind) {
  std::vector<std::string> ids;
  for (const Outcome& outcome : report.outcomes)
    if (outcome.kind == kind) ids.push_back(report.observation.images[outcome.image].id.text());
  return ids;
}

TEST(RandomRuns, ADryRunNamesExactlyWhatARealRunRemovesInTheSameOrder) {
  std::size_t removed = 0, refused = 0;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    Life dry(seed), real(seed);
    const Report told = dry.Sweep(true);
    const Report done = real.Sweep(false);
    ASSERT_EQ(told.refused.has_value(), done.refused.has_value()) << "seed " << seed;
    refused += told.refused ? 1 : 0;
    ASSERT_EQ(Ids(told, OutcomeKind::kWouldRemove), real.node.removed) << "seed " << seed;
    ASSERT_EQ(Ids(done, OutcomeKind::kRemoved), real.node.removed) << "seed " << seed;
    ASSERT_TRUE(dry.node.removed.empty()) << "seed " << seed;
    ASSERT_EQ(real.node.images.size() + real.node.removed.size(), dry.node.images.size())
        << "seed " << seed;
    ASSERT_TRUE(done.missing_after.empty()) << "seed " << seed;
    removed += real.node.removed.size();
  }
  EXPECT_GT(removed, kCases / 4) << "the lives must show it";
  EXPECT_LT(refused, kCases / 4);
}

}  // namespace
}  // namespace imagesweep
