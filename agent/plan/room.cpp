#include "agent/plan/room.h"

#include <string>
#include <vector>

#include "agent/base/quantity.h"
#include "agent/plan/order.h"
#include "agent/plan/planner.h"

namespace imagesweep {

namespace {

// Why no image is to go; empty: some are.
std::string WhyNothing(const Observation& seen, std::uint64_t wanted) {
  if (!seen.disk) return "disk use is not known, so nobody could tell when to end";
  if (wanted > seen.disk->capacity_bytes)
    return "the image filesystem has only " + HumanBytes(seen.disk->capacity_bytes) + " in all";
  if (MissingRoom(seen, wanted) == 0) return HumanBytes(wanted) + " are available already";
  return {};
}

}  // namespace

std::uint64_t MissingRoom(const Observation& seen, std::uint64_t wanted) {
  if (!seen.disk || seen.disk->available_bytes >= wanted) return 0;
  return wanted - seen.disk->available_bytes;
}

Plan ChooseForRoom(const Scene& scene, std::uint64_t wanted) {
  Plan plan = ChooseUnpressed(scene);
  plan.room = wanted;
  if (const std::string why = WhyNothing(scene.seen(), wanted); !why.empty()) {
    for (const auto at : plan.removals) {
      Decision& decision = plan.decisions[at];
      decision.verdict = Verdict::kDefer;
      decision.code = Code::kLimit;
      decision.reason = "would go by the policy, but " + why;
      decision.waits_for = why;
    }
    plan.removals.clear();
    return plan;
  }
  std::vector<std::uint32_t> idle;
  for (const Decision& decision : plan.decisions)
    if (decision.code == Code::kIdle) idle.push_back(decision.image);
  SortLeastRecentlyUsedFirst(scene, idle);
  for (const auto at : idle) {
    Decision& decision = plan.decisions[at];
    decision.verdict = Verdict::kRemove;
    decision.code = Code::kSpace;
    decision.reason =
        "nothing uses it, and " + HumanBytes(wanted) + " were asked for; least recently used first";
    plan.removals.push_back(at);
  }
  return plan;
}

}  // namespace imagesweep
