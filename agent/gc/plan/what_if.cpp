#include "agent/gc/plan/what_if.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/gc/plan/plan_context.h"
#include "agent/gc/plan/planner.h"
#include "agent/gc/plan/verdict_rules.h"
#include "agent/model/verdict_codes.h"

namespace imagesweep {
namespace {

bool IsRequired(const Decision& decision) {
  return decision.code == Code::kInUse || decision.code == Code::kPinned ||
         decision.code == Code::kSandbox || decision.code == Code::kSelf ||
         decision.code == Code::kWorkload;
}

// A key that is unique for each image.
std::pair<std::string_view, std::string_view> Name(const Observation& seen, ImagePos at) {
  return {seen.images[at].display_name(), seen.images[at].id.text()};
}

void Add(Amount& amount, const Image& image) {
  ++amount.images;
  amount.bytes += image.size_bytes;
}

Confidence ConfidenceOf(const ImageAge& age) {
  if (age.just_seen) return Confidence::kNone;
  if (age.unused_for >= std::chrono::days(7)) return Confidence::kHigh;
  return age.unused_for >= std::chrono::days(1) ? Confidence::kMedium : Confidence::kLow;
}

CleanupOption OptionOf(std::string name, const Observation& seen,
                       const std::vector<ImagePos>& removals) {
  CleanupOption option;
  option.name = std::move(name);
  for (const auto at : removals) {
    const Image& image = seen.images[at];
    Add(option.goes, image);
    if (image.local_only())
      option.lost.push_back(at);
    else
      Add(option.to_pull_again, image);
  }
  return option;
}

// Removes all images that no container uses, even if something else needs them.
CleanupOption EverythingUnused(const PlanContext& context) {
  std::vector<ImagePos> removals;
  for (const ImagePos at : Positions(context.seen().images)) {
    const auto users = context.UsedBy(at);
    const bool has_container = std::ranges::any_of(users, [&](std::uint32_t user) {
      return context.seen().references[user].by.kind == ImageUserKind::kContainer;
    });
    if (!has_container && !context.image(at).pinned) removals.push_back(at);
  }
  CleanupOption option = OptionOf("everything unused", context.seen(), removals);
  for (const auto at : removals) {
    const bool needed = std::ranges::any_of(VerdictRules(), [&](const VerdictRule& rule) {
      return RowOf(rule.code).verdict == Verdict::kKeep && rule.code != Code::kTooYoung &&
             rule.applies(context, at);
    });
    if (needed) option.breaks.push_back(at);
  }
  return option;
}

}  // namespace

std::vector<VerdictChange> Differences(const Observation& seen, const Plan& now, const Plan& then) {
  std::vector<VerdictChange> changes;
  for (const ImagePos at : Positions(now.decisions)) {
    const Decision& a = now.decisions[at];
    const Decision& b = then.decisions[at];
    if (a.verdict != b.verdict || a.code != b.code) changes.push_back({a.image, a, b});
  }
  std::ranges::sort(changes, {},
                    [&](const VerdictChange& change) { return Name(seen, change.image); });
  return changes;
}

Analysis Analyze(const Policy& effective_policy, const PolicyWithProfile& with_profile,
                 const Observation& seen) {
  const PlanContext context(effective_policy, seen);
  const Plan plan = PlanWithDiskPressure(context);
  Analysis analysis;
  for (const Decision& decision : plan.decisions) {
    const Image& image = seen.images[decision.image];
    if (IsRequired(decision)) {
      analysis.required.push_back(decision.image);
      Add(analysis.required_total, image);
    } else {
      analysis.idle.push_back({decision.image, ConfidenceOf(seen.ages[decision.image])});
      Add(analysis.idle_total, image);
    }
  }
  std::ranges::sort(analysis.idle, [&](const IdleImage& a, const IdleImage& b) {
    if (a.confidence != b.confidence) return a.confidence > b.confidence;
    if (seen.images[a.image].size_bytes != seen.images[b.image].size_bytes)
      return seen.images[a.image].size_bytes > seen.images[b.image].size_bytes;
    return Name(seen, a.image) < Name(seen, b.image);
  });
  analysis.options.push_back(OptionOf("in force", seen, plan.removals));
  for (const Profile profile : {Profile::kConservative, Profile::kBalanced, Profile::kAggressive}) {
    const auto its = with_profile(profile);
    CleanupOption option;
    if (its) option = OptionOf({}, seen, PlanWithDiskPressure(PlanContext(*its, seen)).removals);
    option.name = ToString(profile);
    if (!its) option.impossible = its.error().what;
    analysis.options.push_back(std::move(option));
  }
  CleanupOption& conservative = analysis.options[1];
  CleanupOption& balanced = analysis.options[2];
  if (balanced.impossible.empty() && balanced.lost.empty())
    balanced.recommended = true;
  else
    conservative.recommended = conservative.impossible.empty();
  analysis.options.push_back(EverythingUnused(context));
  return analysis;
}

}  // namespace imagesweep
