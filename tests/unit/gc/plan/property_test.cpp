#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "agent/gc/plan/defer.h"
#include "agent/gc/plan/planner.h"
#include "agent/gc/plan/rule_finder.h"
#include "agent/model/verdict_codes.h"
#include "tests/unit/gc/plan/random_node.h"

// Properties of all plans, on random nodes with random policies.

namespace imagesweep {
namespace {

constexpr std::uint64_t kCases = 20'000;  // for each property; half of them where that is enough

using Ids = std::set<std::string>;

Ids Removed(const Observation& seen, const Plan& plan) {
  Ids ids;
  for (const auto at : plan.removals) ids.insert(seen.images[at].id.text());
  return ids;
}
Ids Removed(RandomWorld& metadata) {
  return Removed(metadata.seen(), MakePlan(metadata.policy(), metadata.seen()));
}

// Without anything that removes one image instead of another: no limit and no goal.
void WithoutBudgets(RandomWorld& metadata) {
  metadata.seen().disk.reset();
  metadata.policy().limits = {1000, 0, 100, Millis(0), 5, 1};
}

// No version ranks behind another.
void WithoutRetention(RandomWorld& metadata) {
  Policy& policy = metadata.policy();
  policy.remove_superseded = false;
  policy.keep.last_per_repository = 0;
  for (Rule& rule : policy.rules) {
    rule.keep_last.reset();
    if (rule.local_only == LocalOnly::kUnlessSuperseded) rule.local_only = LocalOnly::kAlways;
  }
  if (policy.keep.local_only == LocalOnly::kUnlessSuperseded)
    policy.keep.local_only = LocalOnly::kAlways;
}

std::set<ImagePos> Resolve(const Observation& seen, const std::vector<std::string>& texts) {
  const ImageIndex index(seen.images);
  std::set<ImagePos> found;
  for (const auto& text : texts)
    for (const auto at : index.Resolve(text)) found.insert(at);
  return found;
}

const Rule* FirstRule(const Policy& policy, const Image& image, const ImageName* name) {
  for (const Rule& rule : policy.rules)
    if (Selects(rule, image, name)) return &rule;
  return nullptr;
}

// All names that rules may select: tags, and digests if the image has no tag of that repository.
std::vector<const ImageName*> Names(const Image& image) {
  std::vector<const ImageName*> names;
  for (const ImageName& tag : image.tags) names.push_back(&tag);
  for (const ImageName& digest : image.digests)
    if (std::ranges::none_of(image.tags, [&](const ImageName& tag) {
          return tag.repository() == digest.repository();
        }))
      names.push_back(&digest);
  if (names.empty()) names.push_back(nullptr);
  return names;
}

// Whether the policy itself keeps the image, apart from age and retention.
bool Kept(const Policy& policy, const Image& image) {
  const auto always = [&](const ImageName* name) {
    const Rule* const rule = FirstRule(policy, image, name);
    return (rule == nullptr
                ? policy.keep.local_only
                : rule->local_only.value_or(policy.keep.local_only)) == LocalOnly::kAlways;
  };
  if (image.origin.kind < OriginKind::kPulled && std::ranges::any_of(Names(image), always))
    return true;
  for (const auto& glob : policy.keep.images)
    if (glob.Keeps(image)) return true;
  for (const auto& pattern : policy.keep.tags)
    for (const ImageName& tag : image.tags)
      if (GlobMatches(pattern, tag.tag())) return true;
  return std::ranges::any_of(Names(image), [&](const ImageName* name) {
    const Rule* const rule = FirstRule(policy, image, name);
    return rule == nullptr ? policy.keep.unknown : rule->action == RuleAction::kKeep;
  });
}

// By the rule for each of its names.
bool OldEnough(const Policy& policy, const Image& image, Millis unused_for, Code code) {
  const bool critical = code == Code::kCritical;
  return std::ranges::all_of(Names(image), [&](const ImageName* name) {
    const Rule* const rule = FirstRule(policy, image, name);
    const auto of = [&](const std::optional<Millis> Rule::*its, Millis other) {
      return rule == nullptr ? other : (rule->*its).value_or(other);
    };
    const Millis maximum = of(&Rule::maximum_age, policy.maximum_age);
    if (code == Code::kAge && (maximum == Millis(0) || unused_for <= maximum)) return false;
    // Critical disk use shortens the minimum age of the policy, never that of a rule.
    const Millis minimum = critical ? std::min(policy.minimum_age, policy.disk.critical.minimum_age)
                                    : policy.minimum_age;
    return unused_for >= of(&Rule::minimum_age, minimum);
  });
}

TEST(PlanProperty, EachImageHasTheVerdictOfItsCode) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomWorld metadata(seed);
    for (const Decision& decision : MakePlan(metadata.policy(), metadata.seen()).decisions)
      ASSERT_EQ(decision.verdict, RowOf(decision.code).verdict)
          << ToString(decision.code) << ", seed " << seed;
  }
}

TEST(PlanProperty, ProtectionsAlwaysWin) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomWorld metadata(seed);
    const Policy& policy = metadata.policy();
    const Observation& seen = metadata.seen();
    const Plan plan = PlanWithDiskPressure(PlanContext(policy, seen));
    ASSERT_EQ(plan.decisions.size(), seen.images.size());
    const ImageIndex index(seen.images);
    std::set<ImagePos> needed = Resolve(seen, seen.sandbox_images);
    needed.merge(Resolve(seen, seen.own_images));
    for (const auto& reference : seen.references)
      for (const auto at : index.Resolve(reference)) needed.insert(at);
    for (const auto at : plan.removals) {
      const Code code = plan.decisions[at].code;
      ASSERT_EQ(plan.decisions[at].verdict, Verdict::kRemove) << "seed " << seed;
      ASSERT_FALSE(needed.contains(at)) << "seed " << seed;
      ASSERT_FALSE(seen.images[at].pinned) << "seed " << seed;
      ASSERT_FALSE(Kept(policy, seen.images[at])) << "seed " << seed;
      ASSERT_TRUE(OldEnough(policy, seen.images[at], seen.ages[at].unused_for, code))
          << "seed " << seed;
      if (code == Code::kCritical) {
        const PlanContext context(policy, seen);
        for (const TagRanking& name : context.names(at))
          ASSERT_FALSE(name.rule != nullptr && name.rule->keep_last && name.rank > 0 &&
                       name.rank <= *name.rule->keep_last)
              << "a rule's keepLast keeps it, seed " << seed;
      }
    }
    ASSERT_EQ(plan.Count(Verdict::kRemove), plan.removals.size()) << "seed " << seed;
    ASSERT_EQ(Ids(Removed(seen, plan)).size(), plan.removals.size()) << "each once, seed " << seed;
  }
}

TEST(PlanProperty, NeverRemovesImagesThatAWorkloadNeeds) {
  std::size_t wanted = 0;
  for (std::uint64_t seed = 0; seed < kCases / 2; ++seed) {
    RandomWorld metadata(seed);
    metadata.AddWorkloads();
    if (metadata.Maybe(2)) metadata.AddDisk();
    const Observation& seen = metadata.seen();
    const KeepWorkloads& keep = metadata.policy().keep.workloads;
    const Plan plan = PlanWithDiskPressure(PlanContext(metadata.policy(), seen));
    const ImageIndex index(seen.images);
    for (const WorkloadReference& reference : seen.workloads) {
      if (reference.revisions_back > keep.rollback_revisions) continue;
      if (reference.scaled_to_zero && !keep.scaled_to_zero) continue;
      if (reference.kind == "CronJob" && !keep.cron_jobs) continue;
      for (const auto at : index.Resolve(reference.text)) {
        ASSERT_EQ(plan.decisions[at].verdict, Verdict::kKeep) << "seed " << seed;
        ASSERT_LE(plan.decisions[at].code, Code::kWorkload) << "seed " << seed;
        if (plan.decisions[at].code == Code::kWorkload) ++wanted;
      }
    }
    for (const Decision& decision : plan.decisions)
      ASSERT_EQ(decision.code == Code::kWorkload, !decision.needed_by.empty()) << "seed " << seed;
  }
  EXPECT_GT(wanted, kCases / 10) << "the worlds must show it";
}

TEST(PlanProperty, BudgetsWindowsAndConfirmationsHold) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomWorld metadata(seed);
    const Policy& policy = metadata.policy();
    const Observation& seen = metadata.seen();
    const PlanContext context(policy, seen);
    ByImage<int> evaluations(seen.images.size());
    for (int& count : evaluations) count = metadata.Below(4);
    Plan plan = PlanWithDiskPressure(context);
    const std::vector<ImagePos> chosen = plan.removals;
    Defer(context, evaluations, plan);
    std::uint64_t bytes = 0;
    for (const auto at : plan.removals) {
      ASSERT_GE(evaluations[at], policy.limits.confirm_runs) << "seed " << seed;
      bytes += seen.images[at].size_bytes;
    }
    const int critical = policy.disk.critical.threshold_percent;
    const bool critical_candidates =
        critical > 0 && seen.disk &&
        (seen.disk->used_percent() >= critical || seen.disk->inodes_used_percent() >= critical);
    if (!AnyContains(policy.windows, seen.at) && !critical_candidates) {
      ASSERT_TRUE(plan.removals.empty()) << "seed " << seed;
    }
    ASSERT_LE(plan.removals.size(), static_cast<std::size_t>(policy.limits.max_images))
        << "seed " << seed;
    ASSERT_LE(plan.removals.size() * 100,
              seen.images.size() * static_cast<std::size_t>(policy.limits.max_percent_of_images))
        << "seed " << seed;
    ASSERT_TRUE(policy.limits.max_bytes == 0 || bytes <= policy.limits.max_bytes)
        << "seed " << seed;
    // Every chosen image is removed now, in the order of the choice, or waits. None is lost.
    ASSERT_EQ(plan.removals.size() + plan.Count(Verdict::kDefer), chosen.size()) << "seed " << seed;
    auto next = chosen.begin();
    for (const auto at : plan.removals) {
      next = std::find(next, chosen.end(), at);
      ASSERT_NE(next, chosen.end()) << "seed " << seed;
    }
  }
}

TEST(PlanProperty, VerdictsDoNotDependOnTheOrderOfImagesReferencesAndWorkloads) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomWorld metadata(seed);
    if (seed % 2 == 1) metadata.AddWorkloads();
    const Plan plan = MakePlan(metadata.policy(), metadata.seen());
    Observation shuffled = metadata.seen();
    ByImage<ImagePos> order;
    std::ranges::copy(Positions(shuffled.images), std::back_inserter(order));
    std::ranges::shuffle(order, metadata.random());
    std::ranges::shuffle(shuffled.references, metadata.random());
    std::ranges::shuffle(shuffled.workloads, metadata.random());
    for (const ImagePos i : Positions(order)) {
      shuffled.images[i] = metadata.seen().images[order[i]];
      shuffled.ages[i] = metadata.seen().ages[order[i]];
    }
    const Plan again = MakePlan(metadata.policy(), shuffled);
    for (const ImagePos i : Positions(order)) {
      const Decision& now = again.decisions[i];
      const Decision& before = plan.decisions[order[i]];
      ASSERT_EQ(now.code, before.code) << "seed " << seed;
      ASSERT_EQ(now.superseded_by, before.superseded_by) << "seed " << seed;
      ASSERT_EQ(now.used_by.size(), before.used_by.size()) << "seed " << seed;
      ASSERT_EQ(now.needed_by.size(), before.needed_by.size()) << "seed " << seed;
      for (std::size_t w = 0; w < now.needed_by.size(); ++w)
        ASSERT_EQ(shuffled.workloads[now.needed_by[w]],
                  metadata.seen().workloads[before.needed_by[w]])
            << "seed " << seed;
      if (now.code != Code::kInUse) {  // of the first of its users
        ASSERT_EQ(now.reason, before.reason) << "seed " << seed;
      }
    }
    ASSERT_EQ(plan.removals.size(), again.removals.size());
    for (std::size_t i = 0; i < plan.removals.size(); ++i)
      ASSERT_EQ(order[again.removals[i]], plan.removals[i]) << "the order too, seed " << seed;
  }
}

// Without retention, where another image in use takes a place.
TEST(PlanProperty, AnotherReferenceNeverRemovesMore) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomWorld metadata(seed);
    WithoutBudgets(metadata);
    WithoutRetention(metadata);
    const auto before = Removed(metadata);
    metadata.AddReference();
    ASSERT_TRUE(std::ranges::includes(before, Removed(metadata))) << "seed " << seed;
  }
}

// Less evidence never removes an image.  Others may then count it as one that stays.
TEST(PlanProperty, AnImageThatLosesItsProofIsNotRemovedForIt) {
  std::size_t kept = 0;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomWorld metadata(seed);
    WithoutBudgets(metadata);
    Observation& seen = metadata.seen();
    if (seen.images.empty()) continue;
    // A digest of an unqualified name is a placeholder of an import, which no proof can be about.
    for (Image& image : seen.images)
      for (ImageName& digest : image.digests) digest = ImageName::Parse(digest.text());
    const ImagePos at(seed % seen.images.size());
    if (!seen.images[at].origin.can_be_pulled()) continue;
    const auto verdict = [&] { return MakePlan(metadata.policy(), seen).decisions[at].verdict; };
    if (verdict() == Verdict::kRemove) continue;
    ++kept;
    seen.images[at].origin = {};
    ASSERT_NE(verdict(), Verdict::kRemove) << "seed " << seed;
  }
  EXPECT_GT(kept, kCases / 10);
}

// The revisions of a rollout may rank another version lower. If one of these counts, that version
// stays anyway. So the property holds with retention if all of them count, and always without
// retention.
TEST(PlanProperty, AnotherWorkloadReferenceNeverRemovesMore) {
  for (std::uint64_t seed = 0; seed < kCases / 2; ++seed) {
    RandomWorld metadata(seed);
    metadata.AddWorkloads();
    WithoutBudgets(metadata);
    if (metadata.Maybe(2)) {
      metadata.policy().keep.workloads = {true, 3, true, true};
    } else {
      WithoutRetention(metadata);
    }
    const auto before = Removed(metadata);
    metadata.seen().workloads.push_back(metadata.AnyWorkload());
    ASSERT_TRUE(std::ranges::includes(before, Removed(metadata))) << "seed " << seed;
  }
}

TEST(PlanProperty, NeverRemovesMoreWhenAllWorkloadsCount) {
  for (std::uint64_t seed = 0; seed < kCases / 2; ++seed) {
    RandomWorld metadata(seed);
    metadata.AddWorkloads();
    WithoutBudgets(metadata);
    metadata.policy().keep.workloads = {false, 3, true, true};
    const auto before = Removed(metadata);
    metadata.policy().keep.workloads.enabled = true;
    ASSERT_TRUE(std::ranges::includes(before, Removed(metadata))) << "seed " << seed;
  }
}

// The order of versions does not depend on the revisions that count, so this also holds with
// retention.
TEST(PlanProperty, MoreOfTheWorkloadsThatCountNeverRemoveMore) {
  for (std::uint64_t seed = 0; seed < kCases / 2; ++seed) {
    RandomWorld metadata(seed);
    metadata.AddWorkloads();
    WithoutBudgets(metadata);
    KeepWorkloads& keep = metadata.policy().keep.workloads;
    const auto before = Removed(metadata);
    keep.rollback_revisions += 1 + metadata.Below(2);
    const auto with_rollback = Removed(metadata);
    ASSERT_TRUE(std::ranges::includes(before, with_rollback)) << "seed " << seed;
    keep.scaled_to_zero = true;
    const auto with_scaled = Removed(metadata);
    ASSERT_TRUE(std::ranges::includes(with_rollback, with_scaled)) << "seed " << seed;
    keep.cron_jobs = true;
    ASSERT_TRUE(std::ranges::includes(with_scaled, Removed(metadata))) << "seed " << seed;
  }
}

TEST(PlanProperty, AnotherKeepPatternNeverRemovesMore) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomWorld metadata(seed);
    WithoutBudgets(metadata);
    const auto before = Removed(metadata);
    metadata.policy().keep.images.push_back(*ImageGlob::Parse(metadata.Repository()));
    const auto with_glob = Removed(metadata);
    ASSERT_TRUE(std::ranges::includes(before, with_glob)) << "seed " << seed;
    metadata.policy().keep.tags.push_back(metadata.Tag());
    ASSERT_TRUE(std::ranges::includes(with_glob, Removed(metadata))) << "seed " << seed;
  }
}

TEST(PlanProperty, KeepingMoreVersionsNeverRemovesMore) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomWorld metadata(seed);
    WithoutBudgets(metadata);
    const auto before = Removed(metadata);
    metadata.policy().keep.last_per_repository += 1 + metadata.Below(3);
    const auto of_all = Removed(metadata);
    ASSERT_TRUE(std::ranges::includes(before, of_all)) << "seed " << seed;
    for (Rule& rule : metadata.policy().rules)
      if (rule.keep_last) *rule.keep_last += metadata.Below(3);
    ASSERT_TRUE(std::ranges::includes(of_all, Removed(metadata))) << "seed " << seed;
  }
}

// A rule with its own numbers may keep an image that a later rule, or none, would remove. These
// rules have none.
TEST(PlanProperty, NeverRemovesMoreWithoutARemoveRule) {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomWorld metadata(seed);
    WithoutBudgets(metadata);
    auto& rules = metadata.policy().rules;
    for (Rule& rule : rules) {
      rule.keep_last.reset();
      rule.minimum_age.reset();
      rule.maximum_age.reset();
      rule.local_only.reset();
    }
    auto before = Removed(metadata);
    for (std::size_t i = rules.size(); i-- > 0;) {
      if (rules[i].action != RuleAction::kRemove) continue;
      rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(i));
      auto without = Removed(metadata);
      ASSERT_TRUE(std::ranges::includes(before, without)) << "seed " << seed;
      before = std::move(without);
    }
  }
}

// The arithmetic of the kubelet (image_gc_manager.go) in whole numbers, independent of the
// planner's.
std::uint64_t Missing(std::uint64_t capacity, std::uint64_t available,
                      const Thresholds& thresholds) {
  const int used = 100 - static_cast<int>(available * 100 / capacity);
  if (thresholds.high_percent == 0 || used < thresholds.high_percent) return 0;
  const auto wanted = capacity * static_cast<std::uint64_t>(100 - thresholds.low_percent) / 100;
  return wanted > available ? wanted - available : 0;
}

TEST(PlanProperty, OvershootsTheSpaceGoalByLessThanOneImage) {
  std::size_t for_space = 0, critical_candidates = 0;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    RandomWorld metadata(seed);
    if (!metadata.seen().disk) metadata.AddDisk();
    if (metadata.Maybe(2)) {  // then there is much to choose from
      metadata.policy().rules.clear();
      metadata.policy().maximum_age = Millis(0);
      metadata.policy().keep.local_only = LocalOnly::kNever;
    }
    const DiskThresholds& thresholds = metadata.policy().disk;
    const DiskUsage& disk = *metadata.seen().disk;
    auto bytes = Missing(1000, disk.available_bytes, thresholds);
    auto inodes = Missing(1000, disk.inodes_free, thresholds.inodes);
    const int critical = thresholds.critical.threshold_percent;
    const Thresholds safe{critical, critical - 1};
    std::uint64_t all = 0, freed = 0;
    for (const Image& image : metadata.seen().images) all += image.size_bytes;
    bool reached_critical = false;
    metadata.policy().windows.clear();
    const PlanContext context(metadata.policy(), metadata.seen());
    const Plan plan = PlanWithDiskPressure(context);
    // Images that wait for a later run free nothing in this one.
    Plan now = plan;
    Defer(context, {}, now);
    for (const auto at : plan.removals) {
      const Code code = plan.decisions[at].code;
      if (code == Code::kCritical && !reached_critical) {
        reached_critical = true;
        bytes = bytes > 0 ? Missing(1000, disk.available_bytes, safe) : 0;
        inodes = inodes > 0 ? Missing(1000, disk.inodes_free, safe) : 0;
      }
      if (code == Code::kSpace || code == Code::kCritical) {
        ++(code == Code::kSpace ? for_space : critical_candidates);
        // Each image is assumed to have a share of the inodes by its size.
        const bool enough_inodes =
            inodes == 0 || (all > 0 && disk.inodes_used() * freed >= inodes * all);
        ASSERT_FALSE(freed >= bytes && enough_inodes) << "seed " << seed;
        ASSERT_TRUE(code == Code::kCritical || !reached_critical) << "idle first, seed " << seed;
      }
      if (now.decisions[at].verdict == Verdict::kRemove)
        freed += metadata.seen().images[at].size_bytes;
    }
  }
  EXPECT_GT(for_space, kCases / 10) << "the worlds must show it";
  EXPECT_GT(critical_candidates, kCases / 100);
}

}  // namespace
}  // namespace imagesweep
