#include "agent/model/plan.h"

#include <algorithm>

namespace imagesweep {

std::string_view ToString(Verdict verdict) {
  switch (verdict) {
    case Verdict::kKeep:
      return "Keep";
    case Verdict::kRemove:
      return "Remove";
    case Verdict::kDefer:
      return "Defer";
  }
  return "Keep";
}

std::string_view ToString(Code code) {
  switch (code) {
    case Code::kInUse:
      return "InUse";
    case Code::kPinned:
      return "Pinned";
    case Code::kSandbox:
      return "Sandbox";
    case Code::kSelf:
      return "Self";
    case Code::kWorkload:
      return "Workload";
    case Code::kKeepRule:
      return "KeepRule";
    case Code::kLocalOnly:
      return "LocalOnly";
    case Code::kTooYoung:
      return "TooYoung";
    case Code::kRetained:
      return "Retained";
    case Code::kUnknown:
      return "Unknown";
    case Code::kRule:
      return "Rule";
    case Code::kDangling:
      return "Dangling";
    case Code::kSuperseded:
      return "Superseded";
    case Code::kAge:
      return "Age";
    case Code::kSpace:
      return "Space";
    case Code::kCritical:
      return "Critical";
    case Code::kIdle:
      return "Idle";
    case Code::kWindow:
      return "Window";
    case Code::kLimit:
      return "Limit";
    case Code::kNoGain:
      return "NoGain";
  }
  return "Idle";
}

const std::string& Observation::WhyUnavailable(std::uint32_t image) const {
  static const std::string available;
  return image < unavailable.size() ? unavailable[image] : available;
}

bool IsReclaimable(const Decision& decision) {
  return decision.verdict != Verdict::kKeep || decision.code == Code::kTooYoung ||
         decision.code == Code::kIdle;
}

std::size_t Plan::Count(Verdict verdict) const {
  return static_cast<std::size_t>(std::ranges::count(decisions, verdict, &Decision::verdict));
}

AwaitingConfirmation Plan::CountAwaitingConfirmation() const {
  AwaitingConfirmation waiting;
  for (const Decision& decision : decisions) {
    const int runs = decision.runs_to_confirm;
    if (runs == 0) continue;
    waiting.fewest_runs = waiting.images == 0 ? runs : std::min(waiting.fewest_runs, runs);
    waiting.most_runs = std::max(waiting.most_runs, runs);
    ++waiting.images;
  }
  return waiting;
}

}  // namespace imagesweep
