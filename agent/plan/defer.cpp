#include "agent/plan/defer.h"

#include <optional>
#include <string>
#include <string_view>

#include "agent/base/quantity.h"
#include "agent/plan/order.h"

namespace imagesweep {
namespace {

bool IsCritical(const Scene& scene) {
  const auto goal = GoalForSpace(scene);
  return goal && !goal->to_safety.empty();
}

// Why nothing may go now; empty: it may.
std::string Closed(const Scene& scene) {
  const auto& windows = scene.policy().windows;
  if (AnyContains(windows, scene.seen().at) || IsCritical(scene)) return {};
  const auto next = NextOpening(windows, scene.seen().at);
  return next ? "the next window opens at " + FormatTime(*next)
              : "no window opens within eight days";
}

class Budget {
 public:
  explicit Budget(const Scene& scene)
      : limits_(scene.policy().limits),
        all_(scene.seen().images.size()),
        percent_cap_(all_ * static_cast<std::size_t>(limits_.max_percent_of_images) / 100) {}

  // Takes it when it fits, else says over which limit it would be.
  std::string Take(const Image& image) {
    if (images_ >= static_cast<std::size_t>(limits_.max_images))
      return "limits.maxImages " + std::to_string(limits_.max_images);
    if (images_ >= percent_cap_)
      return "limits.maxPercentOfImages " + std::to_string(limits_.max_percent_of_images) +
             "% of " + std::to_string(all_);
    if (limits_.max_bytes > 0 && image.size_bytes > limits_.max_bytes - bytes_)
      return "limits.maxBytes " + HumanBytes(limits_.max_bytes);
    ++images_;
    bytes_ += image.size_bytes;
    return {};
  }

 private:
  const Limits& limits_;
  const std::size_t all_;
  const std::size_t percent_cap_;
  std::size_t images_ = 0;
  std::uint64_t bytes_ = 0;
};

// `but`: "but the next window opens at …".
void Postpone(Decision& decision, Code code, const std::string& but) {
  decision.reason =
      "would go (" + std::string(ToString(decision.code)) + ": " + decision.reason + "), " + but;
  decision.waits_for = but.substr(std::string_view("but ").size());
  decision.verdict = Verdict::kDefer;
  decision.code = code;
}

}  // namespace

void Defer(const Scene& scene, std::span<const int> evaluations, Plan& plan) {
  // Windows are for the agent's own accord; who asks for room needs it now.
  const std::string closed = plan.room > 0 ? std::string() : Closed(scene);
  const int needed = scene.policy().limits.confirm_runs;
  Budget budget(scene);
  std::vector<std::uint32_t> now;
  for (const auto at : plan.removals) {
    Decision& decision = plan.decisions[at];
    if (!closed.empty()) {
      Postpone(decision, Code::kWindow, "but " + closed);
    } else if (!evaluations.empty() && evaluations[at] < needed) {
      Postpone(decision, Code::kLimit,
               "but so far in " + std::to_string(evaluations[at]) + " of " +
                   std::to_string(needed) + " evaluations in a row (limits.confirmRuns)");
    } else if (const std::string over = budget.Take(scene.image(at)); !over.empty()) {
      Postpone(decision, Code::kLimit, "but this run is at " + over);
    } else {
      now.push_back(at);
    }
  }
  plan.removals = std::move(now);
}

std::string WindowOverride(const Scene& scene, const Plan& plan) {
  const auto& windows = scene.policy().windows;
  const auto goal = GoalForSpace(scene);
  if (plan.removals.empty() || plan.room > 0 || !goal || AnyContains(windows, scene.seen().at))
    return {};
  return "no window is open, but images go all the same: " + goal->why +
         ", and from diskUsage.critical.thresholdPercent (" +
         std::to_string(scene.policy().disk.critical.threshold_percent) +
         "%) on windows do not hold";
}

}  // namespace imagesweep
