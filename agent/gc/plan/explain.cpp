#include "agent/gc/plan/explain.h"

#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/gc/plan/order.h"
#include "agent/gc/plan/verdict_rules.h"
#include "agent/model/verdict_codes.h"

namespace imagesweep {
namespace {

// An idle image stays only if other images reach the goal (PickForSpace).
std::string WhyNotForSpace(Code code) {
  switch (code) {
    case Code::kIdle:
      return ", but the images before it free enough";
    case Code::kNoGain:
      return ", but its removal frees less than 1 MiB";
    case Code::kLimit:
    case Code::kWindow:
      return {};  // it may be selected for space: the next step says why it is deferred
    default:
      return ", but the image is not a candidate for space";
  }
}

// Why the image is not removed for space.
std::string SpaceEvidence(const PlanContext& context, Code code) {
  const auto& disk = context.seen().disk;
  const int high = context.policy().disk.high_percent;
  if (high == 0) return "diskUsage.highThresholdPercent is 0, so no image is removed for space";
  if (!disk) return "disk use is unknown, so no image is removed for space";
  const std::string use = "disk use is " + std::to_string(disk->used_percent()) + "%";
  if (const auto goal = GoalForSpace(context))
    return goal->why +
           (goal->to_low_threshold.bytes > 0
                ? "; " + HumanBytes(goal->to_low_threshold.bytes) + " to free"
                : "") +
           WhyNotForSpace(code);
  return use + ", below " + std::to_string(high) + "%";
}

std::string WhenFull(const PlanContext& context) {
  const int high = context.policy().disk.high_percent;
  if (high > 0) return "when disk use reaches " + std::to_string(high) + "%";
  return "when the policy selects it";
}

// "in 2d 3h, at 2026-…Z (Age)": the time of removal if nothing uses the image until then.
std::string TimeText(const RemovalTime& goes) {
  return "in " + HumanDuration(goes.in) + ", at " + FormatTime(goes.at) + " (" +
         std::string(ToString(goes.code)) + ")";
}

std::string TooYoung(const Decision& decision, const PlanContext& context,
                     const std::optional<RemovalTime>& goes) {
  const std::string unused = " if nothing uses it until then";
  const std::string old = "it is old enough in " + HumanDuration(decision.old_enough_in);
  if (!goes) return old + unused + "; then it is removed " + WhenFull(context);
  if (goes->in <= decision.old_enough_in) return "it is removed " + TimeText(*goes) + unused;
  return old + ", and is removed " + TimeText(*goes) + unused;
}

std::string WhatWouldChangeIt(const PlanContext& context, const Decision& decision,
                              const std::optional<RemovalTime>& goes) {
  std::string general(RowOf(decision.code).to_change);
  switch (decision.code) {
    case Code::kTooYoung:
      return TooYoung(decision, context, goes);
    case Code::kRetained:
      if (FollowsSubject(context, decision.image)) return "the removal of the image it belongs to";
      break;
    case Code::kIdle:
      if (!goes) return "it is removed " + WhenFull(context);
      return "it is removed " + TimeText(*goes) + " if nothing uses it until then, or " +
             WhenFull(context);
    case Code::kWindow:
      if (goes) return general + ", " + TimeText(*goes);
      break;
    case Code::kLimit:
      if (!context.seen().WhyUnavailable(decision.image).empty())
        return "it is removed in a later run, once the cause is resolved";
      break;
    default:
      break;
  }
  return general;
}

}  // namespace

Explanation Explain(const PlanContext& context, const Plan& plan, ImagePos image) {
  const Decision& decision = plan.decisions[image];
  Explanation explanation;
  bool decided = false;
  for (const VerdictRule& rule : VerdictRules()) {
    Step step{rule.code, rule.applies(context, image), false, {}};
    step.evidence = rule.evidence(context, image, step.applies);
    const bool waived = decision.code == Code::kCritical &&
                        (rule.code == Code::kTooYoung || rule.code == Code::kRetained);
    step.decides = step.applies && !waived && !decided;
    decided = decided || step.decides;
    explanation.steps.push_back(std::move(step));
  }
  const bool space = decision.code == Code::kSpace || decision.code == Code::kCritical;
  explanation.steps.push_back({decision.code == Code::kCritical ? Code::kCritical : Code::kSpace,
                               space, space,
                               space ? decision.reason : SpaceEvidence(context, decision.code)});
  if (decision.verdict == Verdict::kDefer)
    explanation.steps.push_back({decision.code, true, false, decision.reason});
  explanation.goes = RemovalByTime(context, plan, image);
  explanation.what_would_change_it = WhatWouldChangeIt(context, decision, explanation.goes);
  return explanation;
}

}  // namespace imagesweep
