#pragma once

#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/guarded.h"
#include "agent/model/report.h"

namespace imagesweep {

// Whether the policy in force is known to be the one of its source.  A policy that nobody can read
// may say `suspend: true` by now, so after a while no run goes by it.  A text that was read and is
// wrong is no blindness.  Any thread.
class PolicySight {
 public:
  // Told before two minutes are over, whoever asks every few seconds.
  static constexpr Millis kToldAfter = std::chrono::seconds(110);
  static constexpr Millis kRefusedAfter = std::chrono::minutes(5);

  explicit PolicySight(const Clock& clock) : clock_(clock) {}

  // What was loaded last was at `at` what its source holds.
  void Seen(SteadyTime at);
  // It cannot be read now, and why.
  void Lost(const std::string& why);

  // Time since it was seen; zero before the first time, when there is no policy to go by.
  Millis UnreadFor() const;
  // What is to be told of it; empty while it was seen within kToldAfter.
  std::string Complaint() const;
  // From kRefusedAfter on.
  std::optional<Refusal> Refuse() const;

 private:
  struct State {
    std::optional<SteadyTime> seen_at;
    std::string why;
  };
  std::string Words() const;

  const Clock& clock_;
  Guarded<State> state_;
};

}  // namespace imagesweep
