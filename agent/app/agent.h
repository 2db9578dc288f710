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

// The daemon's loop: a run at the start, every interval, and at once when the policy changes.  A
// run that was refused is tried again sooner, with back-off.  Owns nothing; all parts outlive it.
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
    EventPublisher* events = nullptr;  // null: none are written
    std::function<void(std::shared_ptr<const Report>)> on_run = {};  // after each run
    const PolicySight* sight = nullptr;  // null: the policy is of no source that can be lost
    RemovalModeWatch* mode = nullptr;    // null: nobody is told
  };
  // `force_dry_run`: dry run whatever the policy says.
  Agent(Parts parts, bool force_dry_run, std::uint64_t seed);

  // Until told to stop; a removal in hand is finished first.
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
