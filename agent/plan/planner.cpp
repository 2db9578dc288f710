#include "agent/plan/planner.h"

#include <algorithm>

#include "agent/plan/age_limits.h"
#include "agent/plan/defer.h"
#include "agent/plan/gains.h"
#include "agent/plan/order.h"
#include "agent/plan/questions.h"
#include "agent/plan/space.h"
#include "agent/plan/version.h"

namespace imagesweep {
namespace {

// Of several tags, the one with a version: "latest" does not tell which version it is.
std::uint32_t MainTag(const Image& image) {
  for (std::uint32_t i = 0; image.tags.size() > 1 && i < image.tags.size(); ++i)
    if (ReadTag(image.tags[i].tag()).kind == TagKind::kVersion) return i;
  return 0;
}

Decision Judge(const Scene& scene, std::uint32_t at) {
  Decision decision;
  decision.image = at;
  decision.main_tag = MainTag(scene.image(at));
  for (const Question& question : Questions()) {
    if (!question.applies(scene, at)) continue;
    decision.verdict = question.verdict;
    decision.code = question.code;
    decision.reason = question.evidence(scene, at, true);
    if (question.code == Code::kInUse) {
      const auto users = scene.UsedBy(at);
      decision.used_by.assign(users.begin(), users.end());
    }
    if (question.code == Code::kWorkload)
      for (const WorkloadNeed& need : scene.NeededBy(at))
        if (need.counts) decision.wanted_by.push_back(need.reference);
    if (question.code == Code::kDangling) decision.superseded_by = scene.TaggedSibling(at);
    if (question.code == Code::kSuperseded)
      decision.superseded_by = SupersededName(scene, at).replaced_by->text();
    if (question.code == Code::kTooYoung) decision.old_enough_in = OldEnoughIn(scene, at);
    for (const NameStanding& standing : scene.names(at))
      if (decision.rule.empty() && standing.rule != nullptr) decision.rule = standing.rule->name;
    return decision;
  }
  decision.reason = "nothing uses it, and the policy does not remove it";
  return decision;
}

std::vector<std::uint32_t> WithCode(const Plan& plan, Code code) {
  std::vector<std::uint32_t> found;
  for (const Decision& decision : plan.decisions)
    if (decision.code == code) found.push_back(decision.image);
  return found;
}

}  // namespace

Plan ChooseUnpressed(const Scene& scene) {
  Plan plan;
  plan.decisions.reserve(scene.seen().images.size());
  for (std::uint32_t at = 0; at < scene.seen().images.size(); ++at)
    plan.decisions.push_back(Judge(scene, at));
  for (const Code code :
       {Code::kDangling, Code::kSuperseded, Code::kRule, Code::kAge}) {  // safest first
    auto group = WithCode(plan, code);
    SortLeastRecentlyUsedFirst(scene, group);
    plan.removals.insert(plan.removals.end(), group.begin(), group.end());
  }
  return plan;
}

Plan Choose(const Scene& scene) {
  Plan plan = ChooseUnpressed(scene);
  PickForSpace(scene, plan);
  return plan;
}

Plan MakePlan(const Scene& scene) {
  Plan plan = Choose(scene);
  Defer(scene, {}, plan);
  PredictInOrder(scene, plan);
  return plan;
}

Plan MakePlan(const Policy& policy, const Observation& seen) {
  return MakePlan(Scene(policy, seen));
}

}  // namespace imagesweep
