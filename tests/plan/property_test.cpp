#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "agent/plan/planner.h"
#include "tests/support/observation.h"

namespace imagesweep {
namespace {

constexpr int kCases = 20'000;

// Random but small worlds, in which names, ids and ages collide often.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    const int images = Below(8);
    for (int i = 0; i < images; ++i) {
      Image image;
      image.id = ImageId(Id("i" + std::to_string(i)));
      image.size_bytes = static_cast<std::uint64_t>(Below(5)) * 100;
      image.pinned = Below(8) == 0;
      for (int t = Below(3); t > 0; --t) image.tags.push_back(ImageName::Parse(Name()));
      if (Below(4) > 0)
        image.digests.push_back(ImageName::Parse(Repository() + "@" + Id("d" + std::to_string(i))));
      builder_.Add(image, std::chrono::minutes(Below(200)), Below(2) == 0);
    }
    for (int r = Below(5); r > 0; --r)
      builder_.Use(Below(3) == 0 ? Id("i" + std::to_string(Below(8))) : Name());
    if (Below(2) == 0) builder_.Disk(1000, static_cast<std::uint64_t>(Below(400)));
    policy_.minimum_age = std::chrono::minutes(Below(100));
    policy_.maximum_age = std::chrono::minutes(Below(200));
    policy_.remove_dangling = Below(2) == 0;
    policy_.remove_superseded = Below(2) == 0;
    policy_.keep.last_per_repository = Below(3);
    policy_.keep.unknown = Below(4) == 0;
    constexpr LocalOnly kLocal[] = {LocalOnly::kAlways, LocalOnly::kUnlessSuperseded,
                                    LocalOnly::kNever};
    policy_.keep.local_only = kLocal[Below(3)];
    for (int r = Below(3); r > 0; --r) AddRule();
    if (Below(3) == 0) policy_.keep.images.push_back(*ImageGlob::Parse(Repository()));
    policy_.limits.max_images = Below(6);
    policy_.limits.max_bytes = static_cast<std::uint64_t>(Below(3)) * 300;
    policy_.limits.max_percent_of_images = Below(101);
  }

  int Below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  std::string Repository() { return "r" + std::to_string(Below(3)); }
  std::string Name() { return Repository() + ":v" + std::to_string(Below(3)); }
  void AddRule() {
    constexpr RuleAction kActions[] = {RuleAction::kKeep, RuleAction::kRemove,
                                       RuleAction::kEvaluate};
    Rule rule;
    rule.name = "rule";
    if (Below(2) == 0) rule.selector.images.push_back(*ImageGlob::Parse(Repository()));
    if (Below(2) == 0) rule.selector.tags.push_back("v" + std::to_string(Below(3)));
    rule.action = kActions[Below(3)];
    if (Below(2) == 0) rule.keep_last = Below(3);
    policy_.rules.push_back(std::move(rule));
  }
  Policy& policy() { return policy_; }
  ObservationBuilder& builder() { return builder_; }
  Observation& seen() { return builder_.seen(); }
  std::mt19937_64& random() { return random_; }

 private:
  std::mt19937_64 random_;
  ObservationBuilder builder_;
  Policy policy_;
};

std::set<std::string> Removed(const Observation& seen, const Plan& plan) {
  std::set<std::string> ids;
  for (const auto at : plan.removals) ids.insert(seen.images[at].id.text());
  return ids;
}

TEST(PlanProperty, ProtectionsAlwaysWinAndBudgetsHold) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    World world(seed);
    const Plan plan = MakePlan(world.policy(), world.seen());
    ASSERT_EQ(plan.decisions.size(), world.seen().images.size());
    const ImageIndex index(world.seen().images);
    std::set<std::uint32_t> needed;
    for (const auto& reference : world.seen().references)
      for (const auto at : index.Resolve(reference)) needed.insert(at);
    std::uint64_t bytes = 0;
    for (const auto at : plan.removals) {
      const Image& image = world.seen().images[at];
      ASSERT_FALSE(needed.contains(at)) << "seed " << seed;
      ASSERT_FALSE(image.pinned) << "seed " << seed;
      const Millis youngest =
          plan.decisions[at].code == Code::kCritical
              ? std::min(world.policy().minimum_age, world.policy().disk.critical.minimum_age)
              : world.policy().minimum_age;
      ASSERT_GE(world.seen().ages[at].unused_for, youngest) << "seed " << seed;
      ASSERT_FALSE(image.local_only() && world.policy().keep.local_only == LocalOnly::kAlways)
          << "seed " << seed;
      for (const auto& glob : world.policy().keep.images)
        ASSERT_FALSE(glob.Matches(image)) << "seed " << seed;
      ASSERT_EQ(plan.decisions[at].verdict, Verdict::kRemove);
      bytes += image.size_bytes;
    }
    const Limits& limits = world.policy().limits;
    ASSERT_LE(plan.removals.size(), static_cast<std::size_t>(limits.max_images));
    ASSERT_LE(plan.removals.size() * 100,
              world.seen().images.size() * static_cast<std::size_t>(limits.max_percent_of_images));
    ASSERT_TRUE(limits.max_bytes == 0 || bytes <= limits.max_bytes);
    ASSERT_EQ(plan.Count(Verdict::kRemove), plan.removals.size());
  }
}

TEST(PlanProperty, VerdictsDoNotDependOnTheOrderOfTheImages) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    World world(seed);
    const Plan plan = MakePlan(world.policy(), world.seen());
    Observation shuffled = world.seen();
    std::vector<std::size_t> order(shuffled.images.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::shuffle(order, world.random());
    for (std::size_t i = 0; i < order.size(); ++i) {
      shuffled.images[i] = world.seen().images[order[i]];
      shuffled.ages[i] = world.seen().ages[order[i]];
    }
    const Plan again = MakePlan(world.policy(), shuffled);
    for (std::size_t i = 0; i < order.size(); ++i) {
      ASSERT_EQ(again.decisions[i].code, plan.decisions[order[i]].code) << "seed " << seed;
      ASSERT_EQ(again.decisions[i].reason, plan.decisions[order[i]].reason) << "seed " << seed;
    }
    ASSERT_EQ(Removed(shuffled, again), Removed(world.seen(), plan)) << "seed " << seed;
  }
}

// Without a space goal, limits and retention, which trade one image for another.
TEST(PlanProperty, AnotherReferenceOrKeepPatternNeverRemovesMore) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    World world(seed);
    world.seen().disk.reset();
    world.policy().remove_superseded = false;
    world.policy().keep.last_per_repository = 0;
    for (Rule& rule : world.policy().rules) rule.keep_last.reset();
    if (world.policy().keep.local_only == LocalOnly::kUnlessSuperseded)
      world.policy().keep.local_only = LocalOnly::kAlways;
    world.policy().limits = {1000, 0, 100, Millis(0), 5};
    const auto before = Removed(world.seen(), MakePlan(world.policy(), world.seen()));
    world.builder().Use(world.Name());
    const auto with_reference = Removed(world.seen(), MakePlan(world.policy(), world.seen()));
    ASSERT_TRUE(std::ranges::includes(before, with_reference)) << "seed " << seed;
    world.policy().keep.images.push_back(*ImageGlob::Parse(world.Repository()));
    const auto with_glob = Removed(world.seen(), MakePlan(world.policy(), world.seen()));
    ASSERT_TRUE(std::ranges::includes(with_reference, with_glob)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace imagesweep
