#include "agent/plan/space.h"

#include <algorithm>
#include <string>

#include "agent/base/duration.h"
#include "agent/plan/age_limits.h"
#include "agent/plan/gains.h"
#include "agent/plan/order.h"
#include "agent/plan/pick_order.h"
#include "agent/plan/questions.h"
#include "agent/plan/selection.h"

namespace imagesweep {
namespace {

// True if only the policy's minimumAge or lastPerRepository keeps the image, and it is old enough
// for critical disk use.  minimumAge and keepLast of a rule still apply.
bool MayGoWhenCritical(const Scene& scene, const Decision& decision) {
  if (decision.code != Code::kTooYoung && decision.code != Code::kRetained) return false;
  const std::uint32_t at = decision.image;
  if (FollowsSubject(scene, at)) return false;
  if (scene.age(at).watched_unused_for < MinimumAgeWhenCritical(scene, at)) return false;
  const auto by_rule = [](const NameStanding& standing) {
    return standing.retained() && standing.rule != nullptr && standing.rule->keep_last.has_value();
  };
  if (std::ranges::any_of(scene.names(at), by_rule)) return false;
  return std::ranges::none_of(Questions(), [&](const Question& question) {
    return question.verdict == Verdict::kKeep && question.code != Code::kTooYoung &&
           question.code != Code::kRetained && question.applies(scene, at);
  });
}

// One reason to free space, and the goal.
struct Picking {
  Code code;
  Space until;
  std::string why;
};

void Take(const Picking& picking, const std::string& goal, std::uint32_t at, Selection& selection,
          Plan& plan) {
  Decision& decision = plan.decisions[at];
  decision.reason =
      goal + ", " + picking.why + ": images before it free " + selection.now().Of(picking.until) +
      (picking.code == Code::kCritical ? "; otherwise kept: " + decision.reason : "");
  decision.verdict = Verdict::kRemove;
  decision.code = picking.code;
  selection.Add(at);
  plan.removals.push_back(at);
}

// Passes over images that free less than 1 MiB.  If the others are not enough, selects groups of
// them that share layers.  Also selects images that this run cannot remove, as far as the goal
// needs them, so that the plan says what they wait for.  They do not count toward the goal.
void Pick(const Scene& scene, const Picking& picking, const std::string& goal,
          std::vector<std::uint32_t> images, Selection& selection, Plan& plan) {
  Gains& gains = selection.now();
  PickOrder order(scene, gains, picking.until, std::move(images));
  std::vector<std::uint32_t> passed_over;
  while (!gains.Reached(picking.until)) {
    const auto at = order.Next();
    if (!at) break;
    if (gains.TooLittle(*at, picking.until))
      passed_over.push_back(*at);
    else if (selection.Fits(*at) || !selection.all().Reached(picking.until))
      Take(picking, goal, *at, selection, plan);
  }
  while (!gains.Reached(picking.until)) {
    const auto together = selection.EnoughTogether(passed_over, picking.until);
    if (together.empty()) break;
    for (const auto at : together) {
      Take(picking, goal, at, selection, plan);
      std::erase(passed_over, at);
    }
  }
  if (picking.code == Code::kSpace && !gains.Reached(picking.until))
    for (const auto at : passed_over) PassOver(plan.decisions[at], goal);
}

}  // namespace

void PassOver(Decision& decision, const std::string& goal) {
  decision.reason =
      goal + ", but its removal frees less than 1 MiB: images that stay share its layers";
  decision.waits_for =
      "images that share their layers must be removed first (each frees less than 1 MiB)";
  decision.verdict = Verdict::kDefer;
  decision.code = Code::kNoGain;
}

void PickForSpace(const Scene& scene, Plan& plan) {
  const auto goal = GoalForSpace(scene);
  if (!goal) return;
  Selection selection(scene);
  for (const auto at : plan.removals) selection.Add(at);
  std::vector<std::uint32_t> idle, in_need;
  for (const Decision& decision : plan.decisions) {
    if (decision.code == Code::kIdle) idle.push_back(decision.image);
    if (MayGoWhenCritical(scene, decision)) in_need.push_back(decision.image);
  }
  Pick(scene, {Code::kSpace, goal->to_low_marks, "least recently used first"}, goal->why,
       std::move(idle), selection, plan);
  // An empty goal is reached before the first image.
  Pick(scene,
       {Code::kCritical, goal->to_safety,
        "and critical.thresholdPercent " +
            std::to_string(scene.policy().disk.critical.threshold_percent) + "% is reached"},
       goal->why, std::move(in_need), selection, plan);
}

}  // namespace imagesweep
