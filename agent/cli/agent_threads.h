#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/app/event_publisher.h"
#include "agent/app/health.h"
#include "agent/app/policy_choice.h"
#include "agent/app/policy_sight.h"
#include "agent/app/policy_store.h"
#include "agent/app/removal_mode.h"
#include "agent/app/status.h"
#include "agent/app/wakeup.h"
#include "agent/base/clock.h"
#include "agent/cli/options.h"
#include "agent/containerd/use_watch.h"
#include "agent/cri/connection.h"
#include "agent/kube/cluster.h"
#include "agent/model/node_event.h"
#include "agent/model/ports.h"
#include "agent/report/log.h"
#include "agent/report/metrics.h"

// What runs beside an agent's own loop, following its policy and its runtime, and what all of it
// shares.

namespace imagesweep {

// What the threads of one agent share; the members' order is the start order.
struct AgentShared {
  explicit AgentShared(const Options& given);

  const Options& options;
  RealClock clock;
  std::shared_ptr<Log> log;
  Metrics metrics;
  Health health{clock};
  PolicyStore policies;
  PolicySight sight{clock};
  StatusBoard status;
  Wakeup wakeup;
  std::optional<SteadyTime> uses_not_written;  // when that was logged last
  std::unique_ptr<EventPublisher> events;      // empty: none are written; set before others use it
  std::optional<RemovalModeWatch> mode;        // set together with the log

  void Tell(NodeEvent event) const;
  // Logs that uses cannot be written to the state directory, once an hour.  One thread.
  void UsesNotWritten(const Error& why);
  // Tells health, metrics, events and the log, and wakes the agent for a policy that was loaded.
  void PolicyChanged(PolicyStore::Change change);
};

// Tells health, metrics, events and the log when the policy is not read, and when it is again,
// until told to stop.
void WatchPolicySight(AgentShared& shared, const std::stop_token& stop);
// Until told to stop.
void FollowPolicyFile(const std::string& path, AgentShared& shared, const std::stop_token& stop);
// The ConfigMap's policy, or that of the override while there is one.  `choice` must outlive the
// cluster's watches.
void FollowConfigMaps(const Options& options, kube::Cluster& cluster, PolicyChoice& choice,
                      const Clock& clock);

// Waits for a runtime when there is none yet: an agent does not exit for that.  Null: told to stop.
std::shared_ptr<cri::Connection> AwaitRuntime(const Options& options, AgentShared& shared,
                                              const std::stop_token& stop);
// Whether it still answers, until told to stop.
void WatchRuntime(RuntimeReader& runtime, AgentShared& shared, const std::stop_token& stop);
// For a watch of containerd's events that logs when it begins and when it is lost.
containerd::UseWatch::Options LoggedUseWatch(AgentShared& shared);

}  // namespace imagesweep
