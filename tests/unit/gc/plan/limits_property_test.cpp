#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "agent/gc/plan/defer.h"
#include "agent/gc/plan/free_space_target.h"
#include "agent/gc/plan/planner.h"
#include "tests/unit/gc/plan/random_node.h"

// Limits, and images that cannot be removed in this run, never starve other images.

namespace imagesweep {
namespace {

constexpr std::uint64_t kCases = 10'000;

// A node where only idle images can free space. Some of them are unavailable.
struct PressedWorld {
  explicit PressedWorld(std::uint64_t seed) : metadata(seed) {
    Policy& policy = metadata.policy();
    policy.windows.clear();
    policy.disk.inodes = {0, 0};
    policy.disk.critical.threshold_percent = 0;
    policy.disk.high_percent = 75;
    policy.disk.low_percent = 40 + metadata.Below(35);
    policy.limits.max_bytes = static_cast<std::uint64_t>(metadata.Below(8)) * 100;
    if (metadata.Maybe(2)) policy.limits.max_percent_of_images = 100;
    if (metadata.Maybe(2)) policy.rules.clear();
    policy.keep.local_only = LocalOnly::kNever;
    for (Rule& rule : policy.rules) rule.local_only.reset();
    if (metadata.Maybe(2)) policy.maximum_age = Millis(0);
    metadata.AddDisk();
    metadata.seen().disk->available_bytes = static_cast<std::uint64_t>(metadata.Below(250));
    for (std::size_t i = 0; i < metadata.seen().images.size(); ++i)
      metadata.seen().unavailable.emplace_back(metadata.Maybe(3) ? "its removal failed" : "");
  }
  RandomWorld metadata;
};

struct Facts {
  const Policy& policy;
  const Observation& seen;

  bool Allows(std::size_t count, std::uint64_t bytes) const {
    const Limits& limits = policy.limits;
    return count <= static_cast<std::size_t>(limits.max_images) &&
           count * 100 <=
               seen.images.size() * static_cast<std::size_t>(limits.max_percent_of_images) &&
           (limits.max_bytes == 0 || bytes <= limits.max_bytes);
  }
  std::uint64_t Bytes(const std::vector<ImagePos>& images) const {
    std::uint64_t bytes = 0;
    for (const auto at : images) bytes += seen.images[at].size_bytes;
    return bytes;
  }
};

// With no unavailable image and no limits: everything that could be removed if the disk were never
// free enough.
std::vector<ImagePos> Removable(const PressedWorld& pressed) {
  PressedWorld all = pressed;
  all.metadata.policy().limits = {1000, 0, 100, Millis(0), 5, 1};
  all.metadata.policy().disk.low_percent = 1;
  all.metadata.seen().disk->available_bytes = 0;
  all.metadata.seen().disk->capacity_bytes = std::uint64_t{1} << 40;
  all.metadata.seen().unavailable.clear();
  return MakePlan(all.metadata.policy(), all.metadata.seen()).removals;
}

TEST(LimitsProperty, APlanIsNotEmptyWhileAnAvailableImageWithinTheLimitsWouldFreeSpace) {
  std::size_t limited = 0, by_unavailable = 0;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    const PressedWorld pressed(seed);
    RandomWorld metadata = pressed.metadata;
    const Facts facts{metadata.policy(), metadata.seen()};
    const Plan plan = MakePlan(metadata.policy(), metadata.seen());
    ASSERT_TRUE(facts.Allows(plan.removals.size(), facts.Bytes(plan.removals))) << "seed " << seed;
    for (const auto at : plan.removals)
      ASSERT_TRUE(metadata.seen().WhyUnavailable(at).empty()) << "seed " << seed;
    const auto removable = Removable(pressed);
    const auto may_go = [&](ImagePos at) {
      return metadata.seen().WhyUnavailable(at).empty() &&
             metadata.seen().images[at].size_bytes > 0 &&
             facts.Allows(1, metadata.seen().images[at].size_bytes);
    };
    if (metadata.seen().disk->used_percent() < 75 || std::ranges::none_of(removable, may_go))
      continue;
    ASSERT_FALSE(plan.removals.empty()) << "seed " << seed;
    limited += plan.Count(Verdict::kDefer) > 0 ? 1 : 0;
    by_unavailable += std::ranges::any_of(plan.decisions, [&](const Decision& decision) {
      return decision.verdict == Verdict::kDefer &&
             !metadata.seen().WhyUnavailable(decision.image).empty();
    });
  }
  EXPECT_GT(limited, kCases / 12) << "the worlds must show it";
  EXPECT_GT(by_unavailable, kCases / 20);
}

// No further image can be removed: each remaining image is needed, unavailable, or over a limit,
// unless the goal is reached.
TEST(LimitsProperty, KeepsARemovableImageOnlyAtALimitOrAtTheGoal) {
  std::size_t short_of_goal = 0;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    const PressedWorld pressed(seed);
    RandomWorld metadata = pressed.metadata;
    const Facts facts{metadata.policy(), metadata.seen()};
    const DiskUsage& disk = *metadata.seen().disk;
    if (disk.used_percent() < 75) continue;
    const Plan plan = MakePlan(metadata.policy(), metadata.seen());
    const auto low = static_cast<std::uint64_t>(100 - metadata.policy().disk.low_percent);
    const std::uint64_t freed = facts.Bytes(plan.removals);
    if (disk.available_bytes + freed >= disk.capacity_bytes * low / 100) continue;
    ++short_of_goal;
    for (const auto at : Removable(pressed)) {
      if (std::ranges::find(plan.removals, at) != plan.removals.end()) continue;
      ASSERT_FALSE(
          metadata.seen().WhyUnavailable(at).empty() &&
          facts.Allows(plan.removals.size() + 1, freed + metadata.seen().images[at].size_bytes))
          << "seed " << seed << " image " << at.value();
    }
  }
  EXPECT_GT(short_of_goal, kCases / 10) << "the worlds must show it";
}

TEST(LimitsProperty, DoesNotStarveAFreeSpaceTarget) {
  std::size_t chosen = 0;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    const PressedWorld pressed(seed);
    RandomWorld metadata = pressed.metadata;
    const Facts facts{metadata.policy(), metadata.seen()};
    const PlanContext context(metadata.policy(), metadata.seen());
    Plan plan = PlanForFreeSpace(context, 1000);
    Defer(context, {}, plan);
    ASSERT_TRUE(facts.Allows(plan.removals.size(), facts.Bytes(plan.removals))) << "seed " << seed;
    for (const auto at : Removable(pressed)) {
      if (std::ranges::find(plan.removals, at) != plan.removals.end()) continue;
      ASSERT_FALSE(metadata.seen().WhyUnavailable(at).empty() &&
                   facts.Allows(plan.removals.size() + 1,
                                facts.Bytes(plan.removals) + metadata.seen().images[at].size_bytes))
          << "seed " << seed << " image " << at.value();
    }
    chosen += plan.removals.size();
  }
  EXPECT_GT(chosen, kCases / 4) << "the worlds must show it";
}

}  // namespace
}  // namespace imagesweep
