#include "agent/gc/plan/space.h"

#include <algorithm>
#include <string>

#include "agent/base/duration.h"
#include "agent/gc/plan/age_limits.h"
#include "agent/gc/plan/order.h"
#include "agent/gc/plan/pick_order.h"
#include "agent/gc/plan/reclaim_estimator.h"
#include "agent/gc/plan/selection.h"
#include "agent/gc/plan/verdict_rules.h"
#include "agent/model/verdict_codes.h"

namespace imagesweep {
namespace {

// True if only the policy's minimumAge or lastPerRepository keeps the image, and it is old enough
// for critical disk use.  minimumAge and keepLast of a rule still apply.
bool MayGoWhenCritical(const PlanContext& context, const Decision& decision) {
  if (decision.code != Code::kTooYoung && decision.code != Code::kRetained) return false;
  const ImagePos at = decision.image;
  if (FollowsSubject(context, at)) return false;
  if (context.age(at).watched_unused_for < MinimumAgeWhenCritical(context, at)) return false;
  const auto by_rule = [](const TagRanking& ranking) {
    return ranking.retained() && ranking.rule != nullptr && ranking.rule->keep_last.has_value();
  };
  if (std::ranges::any_of(context.names(at), by_rule)) return false;
  return std::ranges::none_of(VerdictRules(), [&](const VerdictRule& rule) {
    return RowOf(rule.code).verdict == Verdict::kKeep && rule.code != Code::kTooYoung &&
           rule.code != Code::kRetained && rule.applies(context, at);
  });
}

// Why images are removed for space, and how much space to free.
struct SpaceReason {
  Code code;
  DiskSpace until;
  std::string why;
};

void Take(const SpaceReason& reason, const std::string& goal, ImagePos at, Selection& selection,
          Plan& plan) {
  Decision& decision = plan.decisions[at];
  decision.reason = goal + ", " + reason.why + ": images before it free " +
                    selection.now().Of(reason.until) +
                    (reason.code == Code::kCritical ? "; otherwise kept: " + decision.reason : "");
  decision.verdict = Verdict::kRemove;
  decision.code = reason.code;
  selection.Add(at);
  plan.removals.push_back(at);
}

// Selects images until the goal is reached.  Images that free less than 1 MiB come last, in groups
// that share layers, and only if the others are not enough.  An image that this run cannot remove
// is selected too, so that the plan says what it waits for.  It does not count toward the goal, and
// no more such images are selected than the goal needs.
void Pick(const PlanContext& context, const SpaceReason& reason, const std::string& goal,
          std::vector<ImagePos> images, Selection& selection, Plan& plan) {
  ReclaimEstimator& reclaim = selection.now();
  PickOrder order(context, reclaim, reason.until, std::move(images));
  std::vector<ImagePos> passed_over;
  while (!reclaim.Reached(reason.until)) {
    const auto at = order.Next();
    if (!at) break;
    if (reclaim.TooLittle(*at, reason.until))
      passed_over.push_back(*at);
    else if (selection.Fits(*at) || !selection.all().Reached(reason.until))
      Take(reason, goal, *at, selection, plan);
  }
  while (!reclaim.Reached(reason.until)) {
    const auto together = selection.EnoughTogether(passed_over, reason.until);
    if (together.empty()) break;
    for (const auto at : together) {
      Take(reason, goal, at, selection, plan);
      std::erase(passed_over, at);
    }
  }
  if (reason.code == Code::kSpace && !reclaim.Reached(reason.until))
    for (const auto at : passed_over) SkipLowYield(plan.decisions[at], goal);
}

}  // namespace

void SkipLowYield(Decision& decision, const std::string& goal) {
  decision.reason =
      goal + ", but its removal frees less than 1 MiB: images that stay share its layers";
  decision.waits_for =
      "images that share their layers must be removed first (each frees less than 1 MiB)";
  decision.verdict = Verdict::kDefer;
  decision.code = Code::kNoGain;
}

void PickForSpace(const PlanContext& context, Plan& plan) {
  const auto goal = GoalForSpace(context);
  if (!goal) return;
  Selection selection(context);
  for (const auto at : plan.removals) selection.Add(at);
  std::vector<ImagePos> idle, critical_candidates;
  for (const Decision& decision : plan.decisions) {
    if (decision.code == Code::kIdle) idle.push_back(decision.image);
    if (MayGoWhenCritical(context, decision)) critical_candidates.push_back(decision.image);
  }
  Pick(context, {Code::kSpace, goal->to_low_threshold, "least recently used first"}, goal->why,
       std::move(idle), selection, plan);
  // An empty goal is reached before the first image.
  Pick(context,
       {Code::kCritical, goal->below_critical,
        "and critical.thresholdPercent " +
            std::to_string(context.policy().disk.critical.threshold_percent) + "% is reached"},
       goal->why, std::move(critical_candidates), selection, plan);
}

}  // namespace imagesweep
