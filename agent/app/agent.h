#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "agent/app/event_publisher.h"
#include "agent/app/health.h"
#include "agent/app/policy_sight.h"
#include "agent/app/policy_store.h"
#include "agent/app/removal_mode.h"
#include "agent/app/sweeper.h"
#include "agent/app/wakeup.h"
#include "agent/base/backoff.h"
#include "agent/report/log.h"
#include "agent/report/metrics.h"

namespace imagesweep {

// The daemon's loop: one run at the start, one per interval, and one at once when the policy
// changes.  It retries an aborted run sooner, with back-off.  Owns nothing; all parts outlive it.
class Agent {
 public:
  struct Parts {
    Sweeper& sweeper;
    PolicyStore& policies;
    Wakeup& wakeup;
    Health& health;
    Metrics& metrics;
    Log& log;
    const Clock& clock;
    EventPublisher* events = nullptr;  // null: writes no events
    std::function<void(std::shared_ptr<const Report>)> on_run = {};  // after each run
    const PolicySight* sight = nullptr;  // null: the source of the policy is always readable
    RemovalModeWatch* mode = nullptr;    // null: changes of dryRun and suspend are not reported
  };
  // `force_dry_run`: dry run, also when the policy has dryRun: false.
  Agent(Parts parts, bool force_dry_run, std::uint64_t seed);

  // Runs until `stop` is requested; finishes a removal in progress first.
  void Run(const std::stop_token& stop);

 private:
  Report RunOnce(const std::shared_ptr<const ActivePolicy>& active, Trigger trigger,
                 const std::stop_token& stop);
  void LogRun(const Report& report);
  Millis UntilNext(const Report& report);

  Parts parts_;
  const bool force_dry_run_;
  const SteadyTime started_;
  Backoff refused_backoff_;
  std::mt19937_64 random_;
};

}  // namespace imagesweep
