#include "agent/daemon/policy_freshness.h"

#include <algorithm>

#include "agent/base/duration.h"

namespace imagesweep {

void PolicyFreshness::Seen(SteadyTime at) {
  state_.With([&](LastRead& state) {
    state.seen_at = std::max(state.seen_at.value_or(at), at);
    // If one of two sources was read long ago, the reason still applies.
    if (clock_.Steady() - *state.seen_at < kReportedAfter) state.why.clear();
    return 0;
  });
}

void PolicyFreshness::Lost(const std::string& why) {
  state_.With([&](LastRead& state) {
    state.why = why;
    return 0;
  });
}

Millis PolicyFreshness::UnreadFor() const {
  const auto seen_at = state_.With([](const LastRead& state) { return state.seen_at; });
  return seen_at ? std::chrono::duration_cast<Millis>(clock_.Steady() - *seen_at) : Millis(0);
}

std::string PolicyFreshness::Words() const {
  const std::string why = state_.With([](const LastRead& state) { return state.why; });
  return "the policy was last read " + HumanDuration(UnreadFor()) +
         " ago: " + (why.empty() ? "its source sends no updates" : why);
}

std::string PolicyFreshness::Problem() const {
  if (UnreadFor() < kReportedAfter) return {};
  return Words() + (Refuse() ? "; runs abort until the policy is read again"
                             : "; after " + HumanDuration(kRefusedAfter) + " runs abort");
}

std::optional<Refusal> PolicyFreshness::Refuse() const {
  if (UnreadFor() < kRefusedAfter) return std::nullopt;
  return Refusal{"policy", {ErrorKind::kUnavailable, Words()}};
}

}  // namespace imagesweep
