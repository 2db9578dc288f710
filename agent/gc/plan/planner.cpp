#include "agent/gc/plan/planner.h"

#include <algorithm>

#include "agent/gc/plan/age_limits.h"
#include "agent/gc/plan/defer.h"
#include "agent/gc/plan/free_space_target.h"
#include "agent/gc/plan/order.h"
#include "agent/gc/plan/reclaim_estimator.h"
#include "agent/gc/plan/space.h"
#include "agent/gc/plan/verdict_rules.h"
#include "agent/gc/plan/version.h"
#include "agent/model/verdict_codes.h"

namespace imagesweep {
namespace {

// Of several tags, the one with a version: "latest" does not tell which version it is.
std::uint32_t MainTag(const Image& image) {
  for (std::uint32_t i = 0; image.tags.size() > 1 && i < image.tags.size(); ++i)
    if (ReadTag(image.tags[i].tag()).kind == TagKind::kVersion) return i;
  return 0;
}

// The workloads that count, and if none of them names the image, the one that may use it.
std::vector<std::uint32_t> WorkloadsFor(const PlanContext& context, ImagePos at) {
  std::vector<std::uint32_t> workloads;
  for (const WorkloadNeed& need : context.NeededBy(at))
    if (need.counts) workloads.push_back(need.reference);
  if (workloads.empty()) workloads.push_back(context.PossibleNeed(at)->reference);
  return workloads;
}

Decision Decide(const PlanContext& context, ImagePos at) {
  Decision decision;
  decision.image = at;
  decision.main_tag = MainTag(context.image(at));
  for (const VerdictRule& rule : VerdictRules()) {
    if (!rule.applies(context, at)) continue;
    decision.verdict = RowOf(rule.code).verdict;
    decision.code = rule.code;
    decision.reason = rule.evidence(context, at, true);
    if (rule.code == Code::kInUse) {
      const auto users = context.UsedBy(at);
      decision.used_by.assign(users.begin(), users.end());
    }
    if (rule.code == Code::kWorkload) decision.needed_by = WorkloadsFor(context, at);
    if (rule.code == Code::kDangling) decision.superseded_by = context.TaggedSibling(at);
    if (rule.code == Code::kSuperseded)
      decision.superseded_by = SupersededName(context, at).replaced_by->text();
    if (rule.code == Code::kTooYoung) decision.old_enough_in = OldEnoughIn(context, at);
    for (const TagRanking& ranking : context.names(at))
      if (decision.rule.empty() && ranking.rule != nullptr) decision.rule = ranking.rule->name;
    return decision;
  }
  decision.reason = "nothing uses it, and the policy does not remove it";
  return decision;
}

std::vector<ImagePos> WithCode(const Plan& plan, Code code) {
  std::vector<ImagePos> found;
  for (const Decision& decision : plan.decisions)
    if (decision.code == code) found.push_back(decision.image);
  return found;
}

}  // namespace

Plan PlanByPolicy(const PlanContext& context) {
  Plan plan;
  plan.decisions.reserve(context.seen().images.size());
  for (const ImagePos at : Positions(context.seen().images))
    plan.decisions.push_back(Decide(context, at));
  for (const Code code :
       {Code::kDangling, Code::kSuperseded, Code::kRule, Code::kAge}) {  // safest first
    auto group = WithCode(plan, code);
    SortLeastRecentlyUsedFirst(context, group);
    plan.removals.insert(plan.removals.end(), group.begin(), group.end());
  }
  return plan;
}

Plan PlanWithDiskPressure(const PlanContext& context) {
  Plan plan = PlanByPolicy(context);
  PickForSpace(context, plan);
  return plan;
}

Plan MakePlan(const PlanContext& context, const PlanOptions& options) {
  Plan plan = options.free_space_target > 0 ? PlanForFreeSpace(context, options.free_space_target)
                                            : PlanWithDiskPressure(context);
  Defer(context, options.count_evaluations ? options.count_evaluations(plan) : ByImage<int>(),
        plan);
  PredictInOrder(context, plan);
  return plan;
}

Plan MakePlan(const Policy& policy, const Observation& seen) {
  return MakePlan(PlanContext(policy, seen));
}

}  // namespace imagesweep
