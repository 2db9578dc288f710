#include "agent/gc/plan/defer.h"

#include <optional>
#include <string>
#include <string_view>

#include "agent/gc/plan/order.h"
#include "agent/gc/plan/run_limits.h"

namespace imagesweep {
namespace {

bool IsCritical(const PlanContext& context) {
  const auto goal = GoalForSpace(context);
  return goal && !goal->below_critical.empty();
}

// Why the windows allow no removal now.  Empty: they allow it.
std::string Closed(const PlanContext& context) {
  const auto& windows = context.policy().windows;
  if (AnyContains(windows, context.seen().at) || IsCritical(context)) return {};
  const auto next = NextOpening(windows, context.seen().at);
  return next ? "the next window opens at " + FormatTime(*next)
              : "no window opens within eight days";
}

// `but`: "but the next window opens at …".
void Postpone(Decision& decision, Code code, const std::string& but) {
  decision.reason =
      "candidate (" + std::string(ToString(decision.code)) + ": " + decision.reason + "), " + but;
  decision.waits_for = but.substr(std::string_view("but ").size());
  decision.verdict = Verdict::kDefer;
  decision.code = code;
}

}  // namespace

void Defer(const PlanContext& context, const ByImage<int>& evaluations, Plan& plan) {
  // Windows limit the agent.  ensure-space needs the space now.
  const std::string closed = plan.free_space_target > 0 ? std::string() : Closed(context);
  const int needed = context.policy().limits.confirm_runs;
  RunLimits limits(context);
  std::vector<ImagePos> now;
  for (const auto at : plan.removals) {
    Decision& decision = plan.decisions[at];
    const std::uint64_t bytes = context.image(at).size_bytes;
    if (!closed.empty()) {
      Postpone(decision, Code::kWindow, "but " + closed);
    } else if (const std::string& why = context.seen().WhyUnavailable(at); !why.empty()) {
      Postpone(decision, Code::kLimit, "but " + why);
    } else if (!evaluations.empty() && evaluations[at] < needed) {
      Postpone(decision, Code::kLimit,
               "but selected in " + std::to_string(evaluations[at]) + " of " +
                   std::to_string(needed) + " evaluations in a row (limits.confirmRuns)");
      decision.runs_to_confirm = needed - evaluations[at];
    } else if (const std::string over = limits.WhyNot(bytes); !over.empty()) {
      Postpone(decision, Code::kLimit, "but " + over);
    } else {
      limits.Take(bytes);
      now.push_back(at);
    }
  }
  plan.removals = std::move(now);
}

std::string WindowOverride(const PlanContext& context, const Plan& plan) {
  const auto& windows = context.policy().windows;
  const auto goal = GoalForSpace(context);
  if (plan.removals.empty() || plan.free_space_target > 0 || !goal ||
      AnyContains(windows, context.seen().at))
    return {};
  return "images are removed although no window is open: " + goal->why +
         ", and windows do not apply at or above diskUsage.critical.thresholdPercent (" +
         std::to_string(context.policy().disk.critical.threshold_percent) + "%)";
}

}  // namespace imagesweep
