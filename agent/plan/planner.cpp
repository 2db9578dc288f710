#include "agent/plan/planner.h"

#include <algorithm>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/plan/order.h"
#include "agent/plan/questions.h"

namespace imagesweep {
namespace {

Decision Judge(const Scene& scene, std::uint32_t at) {
  Decision decision;
  decision.image = at;
  for (const Question& question : Questions()) {
    if (!question.applies(scene, at)) continue;
    decision.verdict = question.verdict;
    decision.code = question.code;
    decision.reason = question.evidence(scene, at, true);
    if (question.code == Code::kInUse) {
      const auto users = scene.UsedBy(at);
      decision.used_by.assign(users.begin(), users.end());
    }
    if (question.code == Code::kDangling) decision.superseded_by = scene.TaggedSibling(at);
    if (question.code == Code::kSuperseded)
      decision.superseded_by = scene.names(at).front().newest->text();
    for (const NameStanding& standing : scene.names(at))
      if (decision.rule.empty() && standing.rule != nullptr) decision.rule = standing.rule->name;
    return decision;
  }
  decision.reason = "nothing uses it, and nothing asks for its removal";
  return decision;
}

std::vector<std::uint32_t> WithCode(const Plan& plan, Code code) {
  std::vector<std::uint32_t> found;
  for (const Decision& decision : plan.decisions)
    if (decision.code == code) found.push_back(decision.image);
  return found;
}

// What goes for other reasons already counts towards the goal.
void PickForSpace(const Scene& scene, Plan& plan) {
  const auto goal = BytesToFree(scene);
  if (!goal) return;
  const DiskUsage& disk = *scene.seen().disk;
  const DiskThresholds& marks = scene.policy().disk;
  std::uint64_t freed = 0;
  for (const auto at : plan.removals) freed += scene.image(at).size_bytes;
  auto idle = WithCode(plan, Code::kIdle);
  SortLeastRecentlyUsedFirst(scene, idle);
  for (const auto at : idle) {
    if (freed >= *goal) break;
    Decision& decision = plan.decisions[at];
    decision.verdict = Verdict::kRemove;
    decision.code = Code::kSpace;
    decision.reason = "disk use " + std::to_string(disk.used_percent()) + "% is at or above " +
                      std::to_string(marks.high_percent) +
                      "%, least recently used first: " + HumanBytes(freed) + " of " +
                      HumanBytes(*goal) + " before it";
    freed += scene.image(at).size_bytes;
    plan.removals.push_back(at);
  }
}

// The blast radius: what does not fit into this run waits for the next.
void ApplyLimits(const Scene& scene, Plan& plan) {
  const Limits& limits = scene.policy().limits;
  const auto percent_cap =
      scene.seen().images.size() * static_cast<std::size_t>(limits.max_percent_of_images) / 100;
  std::vector<std::uint32_t> fits;
  std::uint64_t bytes = 0;
  for (const auto at : plan.removals) {
    std::string over;
    if (fits.size() >= static_cast<std::size_t>(limits.max_images)) {
      over = "limits.maxImages " + std::to_string(limits.max_images);
    } else if (fits.size() >= percent_cap) {
      over = "limits.maxPercentOfImages " + std::to_string(limits.max_percent_of_images) + "% of " +
             std::to_string(scene.seen().images.size());
    } else if (limits.max_bytes > 0 && scene.image(at).size_bytes > limits.max_bytes - bytes) {
      over = "limits.maxBytes " + HumanBytes(limits.max_bytes);
    }
    if (over.empty()) {
      fits.push_back(at);
      bytes += scene.image(at).size_bytes;
      continue;
    }
    Decision& decision = plan.decisions[at];
    decision.reason = "would go (" + std::string(ToString(decision.code)) + ": " + decision.reason +
                      "), but this run is at " + over;
    decision.verdict = Verdict::kDefer;
    decision.code = Code::kLimit;
  }
  plan.removals = std::move(fits);
}

}  // namespace

Plan MakePlan(const Scene& scene) {
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
  PickForSpace(scene, plan);
  ApplyLimits(scene, plan);
  return plan;
}

Plan MakePlan(const Policy& policy, const Observation& seen) {
  return MakePlan(Scene(policy, seen));
}

}  // namespace imagesweep
