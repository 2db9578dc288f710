#pragma once

#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/guarded.h"
#include "agent/model/report.h"

namespace imagesweep {

// Knows whether the policy in force still equals its source.  A policy that cannot be read may have
// changed to `suspend: true`, so after a while runs abort.  An invalid text counts as read.  Any
// thread.
class PolicyFreshness {
 public:
  // Less than two minutes, for callers that check every few seconds.
  static constexpr Millis kReportedAfter = std::chrono::seconds(110);
  static constexpr Millis kRefusedAfter = std::chrono::minutes(5);

  explicit PolicyFreshness(const Clock& clock) : clock_(clock) {}

  // At `at`, the policy that was loaded last equaled its source.
  void Seen(SteadyTime at);
  // The policy cannot be read now; `why` is the reason.
  void Lost(const std::string& why);

  // Time since the last read; zero before the first one, when no policy is in force.
  Millis UnreadFor() const;
  // The text for logs and events; empty while the last read is within kReportedAfter.
  std::string Problem() const;
  // Set from kRefusedAfter on.
  std::optional<Refusal> Refuse() const;

 private:
  struct LastRead {
    std::optional<SteadyTime> seen_at;
    std::string why;
  };
  std::string Words() const;

  const Clock& clock_;
  Guarded<LastRead> state_;
};

}  // namespace imagesweep
