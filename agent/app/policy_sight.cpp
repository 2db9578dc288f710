#include "agent/app/policy_sight.h"

#include <algorithm>

#include "agent/base/duration.h"

namespace imagesweep {

void PolicySight::Seen(SteadyTime at) {
  state_.With([&](State& state) {
    state.seen_at = std::max(state.seen_at.value_or(at), at);
    // If one of two sources was read long ago, the reason still applies.
    if (clock_.Steady() - *state.seen_at < kToldAfter) state.why.clear();
    return 0;
  });
}

void PolicySight::Lost(const std::string& why) {
  state_.With([&](State& state) {
    state.why = why;
    return 0;
  });
}

Millis PolicySight::UnreadFor() const {
  const auto seen_at = state_.With([](const State& state) { return state.seen_at; });
  return seen_at ? std::chrono::duration_cast<Millis>(clock_.Steady() - *seen_at) : Millis(0);
}

std::string PolicySight::Words() const {
  const std::string why = state_.With([](const State& state) { return state.why; });
  return "the policy was last read " + HumanDuration(UnreadFor()) + " ago: " +
         (why.empty() ? "its source sends no updates" : why);
}

std::string PolicySight::Complaint() const {
  if (UnreadFor() < kToldAfter) return {};
  return Words() + (Refuse() ? "; runs abort until the policy is read again"
                             : "; after " + HumanDuration(kRefusedAfter) + " runs abort");
}

std::optional<Refusal> PolicySight::Refuse() const {
  if (UnreadFor() < kRefusedAfter) return std::nullopt;
  return Refusal{"policy", {ErrorKind::kUnavailable, Words()}};
}

}  // namespace imagesweep
