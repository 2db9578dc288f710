#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "agent/plan/planner.h"
#include "agent/plan/untag.h"
#include "tests/plan/random_world.h"

// What holds of the tags that go, shown on random nodes with random policies.

namespace imagesweep {
namespace {

constexpr std::uint64_t kCases = 20'000;

void AskForTags(RandomWorld& world) {
  for (Rule& rule : world.policy().rules)
    if (world.Maybe(2)) rule.action = RuleAction::kUntag;
  if (world.Maybe(2)) world.AddWorkloads();
  for (const ImageName& tag : TagsToWatch(world.seen().images))
    world.seen().tag_ages[tag.text()].unused_for = world.Minutes(300);
}

std::set<std::string> Texts(const Observation& seen, const std::vector<NameToDrop>& names) {
  std::set<std::string> texts;
  for (const NameToDrop& name : names) texts.insert(seen.images[name.image].tags[name.tag].text());
  return texts;
}

TEST(UntagProperty, WhatIsNamedYoungOrTheLastTagStays) {
  std::size_t dropped = 0;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomWorld world(seed);
    AskForTags(world);
    const Observation& seen = world.seen();
    const Scene scene(world.policy(), seen);
    Plan plan = Choose(scene);
    ChooseUntags(scene, plan);
    const auto& names = plan.untags;
    const auto texts = Texts(seen, names);
    dropped += names.size();
    ASSERT_LE(names.size(), static_cast<std::size_t>(world.policy().limits.max_images));
    for (const ImageReference& reference : seen.references)
      ASSERT_FALSE(texts.contains(ImageName::Parse(reference.text).text())) << seed;
    for (const WorkloadReference& workload : seen.workloads)
      ASSERT_FALSE(texts.contains(ImageName::Parse(workload.text).text())) << seed;
    for (const NameToDrop& name : names) {
      const Image& image = seen.images[name.image];
      ASSERT_EQ(plan.decisions[name.image].verdict, Verdict::kKeep) << seed;
      ASSERT_FALSE(image.pinned || image.local_only()) << seed;
      ASSERT_GE(seen.tag_ages.at(image.tags[name.tag].text()).unused_for, name.minimum_age) << seed;
      // Random images may share a tag, real ones do not.
      const ImageName& gone = image.tags[name.tag];
      ASSERT_TRUE(std::ranges::any_of(image.tags, [&](const ImageName& tag) {
        return tag.repository() == gone.repository() &&
               std::ranges::none_of(names, [&](const NameToDrop& other) {
                 return other.image == name.image && image.tags[other.tag] == tag;
               });
      })) << seed;
    }
  }
  EXPECT_GT(dropped, kCases / 100) << "or it shows nothing";
}

TEST(UntagProperty, WhoeverComesToNameATagKeepsIt) {
  std::size_t kept = 0;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomWorld world(seed);
    AskForTags(world);
    Observation& seen = world.seen();
    const Scene scene(world.policy(), seen);
    Plan plan = Choose(scene);
    ChooseUntags(scene, plan);
    if (plan.untags.empty()) continue;
    const std::string text = *Texts(seen, plan.untags).begin();
    if (world.Maybe(2)) {
      seen.references.push_back({text, {}, {}});
    } else {
      seen.workloads.push_back(world.AnyWorkload());
      seen.workloads.back().text = text;
    }
    const Scene named(world.policy(), seen);
    ChooseUntags(named, plan = Choose(named));
    ASSERT_FALSE(Texts(seen, plan.untags).contains(text)) << seed;
    ++kept;
  }
  EXPECT_GT(kept, kCases / 200) << "or it shows nothing";
}

TEST(UntagProperty, ImagesAreJudgedAsWithoutIt) {
  for (std::uint64_t seed = 0; seed < kCases / 2; ++seed) {
    RandomWorld world(seed);
    const Plan expected = MakePlan(world.policy(), world.seen());
    auto& rules = world.policy().rules;
    Rule untag;
    untag.name = "untag";
    untag.action = RuleAction::kUntag;
    if (world.Maybe(2)) untag.selector.tags.push_back(world.Tag());
    if (world.Maybe(2)) untag.keep_last = world.Below(4);
    if (world.Maybe(2)) untag.minimum_age = world.Minutes(150);
    rules.insert(rules.begin() + world.Below(static_cast<int>(rules.size()) + 1), untag);
    const Plan plan = MakePlan(world.policy(), world.seen());
    ASSERT_EQ(plan.removals, expected.removals) << seed;
    for (std::size_t at = 0; at < plan.decisions.size(); ++at)
      ASSERT_EQ(plan.decisions[at].reason, expected.decisions[at].reason) << seed;
  }
}

}  // namespace
}  // namespace imagesweep
