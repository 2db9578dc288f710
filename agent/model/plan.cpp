#include "agent/model/plan.h"

#include <algorithm>

#include "agent/model/verdict_codes.h"

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
  return RowOf(code).name;
}

const std::string& Observation::WhyUnavailable(ImagePos image) const {
  static const std::string available;
  return unavailable.Has(image) ? unavailable[image] : available;
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
