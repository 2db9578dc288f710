#include "agent/gc/plan/free_space_target.h"

#include <string>
#include <utility>
#include <vector>

#include "agent/base/quantity.h"
#include "agent/gc/plan/pick_order.h"
#include "agent/gc/plan/planner.h"
#include "agent/gc/plan/selection.h"
#include "agent/gc/plan/space.h"

namespace imagesweep {

namespace {

// Why the plan removes no image.  Empty: it may remove some.
std::string WhyNothing(const Observation& seen, std::uint64_t wanted) {
  if (!seen.disk) return "disk use is unknown, so imagesweep cannot tell when enough space is free";
  if (wanted > seen.disk->capacity_bytes)
    return "the capacity of the image filesystem is only " + HumanBytes(seen.disk->capacity_bytes);
  if (MissingFreeSpace(seen, wanted) == 0) return HumanBytes(wanted) + " are already available";
  return {};
}

}  // namespace

std::uint64_t MissingFreeSpace(const Observation& seen, std::uint64_t wanted) {
  if (!seen.disk || seen.disk->available_bytes >= wanted) return 0;
  return wanted - seen.disk->available_bytes;
}

Plan PlanForFreeSpace(const PlanContext& context, std::uint64_t wanted) {
  Plan plan = PlanByPolicy(context);
  plan.free_space_target = wanted;
  if (const std::string why = WhyNothing(context.seen(), wanted); !why.empty()) {
    for (const auto at : plan.removals) {
      Decision& decision = plan.decisions[at];
      decision.verdict = Verdict::kDefer;
      decision.code = Code::kLimit;
      decision.reason = "candidate by the policy, but " + why;
      decision.waits_for = why;
    }
    plan.removals.clear();
    return plan;
  }
  std::vector<ImagePos> idle;
  for (const Decision& decision : plan.decisions)
    if (decision.code == Code::kIdle) idle.push_back(decision.image);
  Selection selection(context);
  for (const auto at : plan.removals) selection.Add(at);
  // The space that removals free is not known in advance, so select all and let the executor stop.
  // An image that frees nothing alone may free much after the others, so it comes after them.
  const std::string goal = HumanBytes(wanted) + " of free space are requested";
  std::vector<ImagePos> passed_over;
  const auto take = [&](ImagePos at) {
    selection.Add(at);
    Decision& decision = plan.decisions[at];
    decision.verdict = Verdict::kRemove;
    decision.code = Code::kSpace;
    decision.reason = "nothing uses it, and " + goal + "; least recently used first";
    plan.removals.push_back(at);
  };
  PickOrder order(context, selection.now(), {wanted, 0}, std::move(idle));
  while (const auto at = order.Next()) {
    if (selection.now().TooLittle(*at, {wanted, 0}))
      passed_over.push_back(*at);
    else
      take(*at);
  }
  for (auto group = selection.EnoughTogether(passed_over, {wanted, 0}); !group.empty();
       group = selection.EnoughTogether(passed_over, {wanted, 0}))
    for (const auto at : group) {
      take(at);
      std::erase(passed_over, at);
    }
  for (const auto at : passed_over) SkipLowYield(plan.decisions[at], goal);
  return plan;
}

}  // namespace imagesweep
