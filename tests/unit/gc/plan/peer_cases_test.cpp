#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "agent/gc/plan/planner.h"
#include "tests/support/observation.h"

// The cases of other cleaners' tests, applied to the plan.

namespace imagesweep {
namespace {

using Names = std::set<std::string>;

// Only rules remove; no ages, no space, no limits.
Policy RemoveOnly(const std::vector<std::string>& globs) {
  Policy policy;
  policy.minimum_age = Millis(0);
  policy.maximum_age = Millis(0);
  policy.remove_superseded = false;
  policy.disk = {{0, 0}, {0, 0}, {}};
  policy.keep.last_per_repository = 0;
  policy.limits.max_percent_of_images = 100;
  for (const std::string& text : globs) {
    Rule rule;
    rule.name = text;
    rule.selector.images.push_back(*ImageGlob::Parse(text));
    rule.action = RuleAction::kRemove;
    policy.rules.push_back(rule);
  }
  return policy;
}

Names Left(const Policy& policy, const Observation& seen) {
  Names left;
  const Plan plan = MakePlan(policy, seen);
  for (const Decision& decision : plan.decisions)
    if (decision.verdict != Verdict::kRemove)
      left.insert(seen.images[decision.image].tags.front().tag().data());
  return left;
}

// P01: eraser's TestRemoveImages. The list also has running images.
TEST(PeerCases, RemovesNamedImagesThatNoContainerRuns) {
  const struct {
    const char* why;
    std::vector<const char*> listed, running;
    std::vector<std::string> asked;
    Names left;
  } cases[] = {
      {"nothing at all", {}, {}, {}, {}},
      {"asked for what is not there", {}, {}, {"i:i1", "i:i2"}, {}},
      {"nothing asked", {"i1", "i2", "i3"}, {}, {}, {"i1", "i2", "i3"}},
      {"two of three", {"i1", "i2", "i3"}, {}, {"i:i1", "i:i2"}, {"i3"}},
      {"all three", {"i1", "i2", "i3"}, {}, {"i:i1", "i:i2", "i:i3"}, {}},
      {"one that runs", {"i1"}, {"i1"}, {"i:i1"}, {"i1"}},
      {"two that run", {"i1", "i2", "i3"}, {"i2", "i3"}, {"i:i2", "i:i3"}, {"i1", "i2", "i3"}},
      {"everything", {"i1", "i2", "i3"}, {}, {"**"}, {}},
      {"everything and one by name", {"i1", "i2", "i3"}, {}, {"**", "i:i2"}, {}},
      {"everything, and one runs", {"i1", "i2", "i3"}, {"i1"}, {"**", "i:i2"}, {"i1"}},
  };
  for (const auto& [why, listed, running, asked, left] : cases) {
    ObservationBuilder seen;
    for (const char* tag : listed) {
      const std::string name = std::string("i:") + tag;
      seen.Add(Img(tag, {std::string_view(name)}));
    }
    for (const char* tag : running) seen.Use(std::string("i:") + tag);
    EXPECT_EQ(Left(RemoveOnly(asked), seen.seen()), left) << why;
  }
}

// P02: an image has two names. A pod uses one of them, and the policy means the other.
TEST(PeerCases, KeepsAnImageInUseWhenARuleNamesItsOtherName) {
  ObservationBuilder seen;
  seen.Add(Img("one", {"a:1", "a:2"}));
  seen.Use("a:1");
  EXPECT_EQ(MakePlan(RemoveOnly({"a:2"}), seen.seen()).removals.size(), 0U);
  seen.seen().references.clear();
  EXPECT_EQ(MakePlan(RemoveOnly({"a:2"}), seen.seen()).removals.size(), 0U)
      << "all of its names must be meant";
  EXPECT_EQ(MakePlan(RemoveOnly({"a:1", "a:2"}), seen.seen()).removals.size(), 1U);
}

// P04: docuum's integration test: of a kept, an old, and a new image, only the old one is removed.
TEST(PeerCases, RemovesTheOldUnkeptImageAboveTheThreshold) {
  constexpr std::uint64_t kSize = 100 << 20;
  ObservationBuilder seen;
  seen.Add(Img("keep", {"keep:1"}, kSize), std::chrono::hours(30), true)
      .Add(Img("old", {"old:1"}, kSize), std::chrono::hours(20), true)
      .Add(Img("new", {"new:1"}, kSize), std::chrono::hours(10), true);
  seen.Disk(1'000 << 20, 200 << 20);
  Policy policy = RemoveOnly({});
  policy.disk = {{80, 75}, {0, 0}, {}};
  policy.keep.images.push_back(*ImageGlob::Parse("keep"));
  EXPECT_EQ(MakePlan(policy, seen.seen()).removals, ImagesAt(1));
}

// K10: for any report of the disk, a run removes no more than its limit.
TEST(PeerCases, RemovesAtMostTheLimitOnImpossibleDiskFigures) {
  constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
  const DiskUsage figures[] = {
      {"/", 1000, 0, 0, 0},      {"/", kHuge >> 1, 0, 0, 0},    {"/", kHuge, 0, kHuge, 0},
      {"/", 1000, 2000, 10, 20}, {"/", 1, kHuge, 1, kHuge},     {"/", 0, 0, 0, 0},
      {"/", 0, kHuge, 0, kHuge}, {"/", kHuge, kHuge, 1, kHuge},
  };
  for (const DiskUsage& disk : figures) {
    ObservationBuilder seen;
    for (int i = 0; i < 20; ++i) {
      const std::string name = "app-" + std::to_string(i) + ":1";
      seen.Add(Img(name, {std::string_view(name)}, 100));
    }
    seen.seen().disk = disk;
    Policy policy = RemoveOnly({});
    policy.disk = {{90, 80}, {90, 80}, {95, Millis(0)}};
    policy.limits.max_images = 7;
    EXPECT_LE(MakePlan(policy, seen.seen()).removals.size(), 7U) << disk.capacity_bytes;
    policy.limits.max_bytes = 250;
    EXPECT_LE(MakePlan(policy, seen.seen()).removals.size(), 2U) << disk.capacity_bytes;
    const bool plausible = disk.capacity_bytes > 0 && disk.available_bytes <= disk.capacity_bytes;
    if (plausible) continue;
    EXPECT_EQ(MakePlan(policy, seen.seen()).removals.size(), 0U) << disk.capacity_bytes;
  }
}

}  // namespace
}  // namespace imagesweep
