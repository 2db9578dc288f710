#include "agent/model/report.h"

#include <algorithm>

namespace imagesweep {

std::string_view ToString(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::kRemoved:
      return "Removed";
    case OutcomeKind::kWouldRemove:
      return "WouldRemove";
    case OutcomeKind::kSkipped:
      return "Skipped";
    case OutcomeKind::kFailed:
      return "Failed";
    case OutcomeKind::kStillListed:
      return "StillListed";
  }
  return "Failed";
}

std::size_t Report::Count(OutcomeKind kind) const {
  return static_cast<std::size_t>(std::ranges::count(outcomes, kind, &Outcome::kind));
}

std::size_t Report::Failures() const {
  const auto failed = [](const Outcome& outcome) {
    return outcome.kind == OutcomeKind::kFailed || outcome.kind == OutcomeKind::kStillListed;
  };
  return static_cast<std::size_t>(std::ranges::count_if(outcomes, failed));
}

std::string_view ResultOf(const Report& report) {
  if (report.refused) return "error";
  if (report.Failures() > 0) return "partial";
  return report.outcomes.empty() ? "noop" : "success";
}

}  // namespace imagesweep
