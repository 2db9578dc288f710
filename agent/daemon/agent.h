#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "agent/base/backoff.h"
#include "agent/base/clock.h"
#include "agent/base/wakeup.h"
#include "agent/daemon/event_publisher.h"
#include "agent/daemon/health.h"
#include "agent/daemon/policy_freshness.h"
#include "agent/daemon/policy_store.h"
#include "agent/daemon/removal_mode.h"
#include "agent/gc/sweeper.h"
#include "agent/telemetry/log.h"
#include "agent/telemetry/metrics.h"

namespace imagesweep {

// The daemon's loop: one run at the start, one per interval, and one at once when the policy
// changes.  A run also starts when initialDelay ends and when a window opens.  It retries an
// aborted run sooner, with back-off.  Owns nothing; all parts outlive it.
class Agent {
 public:
  struct Dependencies {
    Sweeper& sweeper;
    PolicyStore& policies;
    Wakeup& wakeup;
    Health& health;
    Metrics& metrics;
    Log& log;
    const Clock& clock;
    EventPublisher* events = nullptr;                                // null: writes no events
    std::function<void(std::shared_ptr<const Report>)> on_run = {};  // after each run
    const PolicyFreshness* freshness =
        nullptr;                       // null: the source of the policy is always readable
    RemovalModeWatch* mode = nullptr;  // null: changes of dryRun and suspend are not reported
  };
  // `force_dry_run`: dry run, also when the policy has dryRun: false.
  Agent(Dependencies parts, bool force_dry_run, std::uint64_t seed);

  // Runs until `stop` is requested; finishes a removal in progress first.
  void Run(const std::stop_token& stop);

 private:
  Report RunOnce(const std::shared_ptr<const ActivePolicy>& active, Trigger trigger,
                 const std::stop_token& stop);
  void LogRun(const Report& report);
  Millis UntilNext(const Report& report);

  Dependencies parts_;
  const bool force_dry_run_;
  const SteadyTime started_;
  Backoff refused_backoff_;
  std::mt19937_64 random_;
};

}  // namespace imagesweep
