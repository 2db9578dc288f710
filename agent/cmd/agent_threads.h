#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/wakeup.h"
#include "agent/cmd/options.h"
#include "agent/daemon/event_publisher.h"
#include "agent/daemon/health.h"
#include "agent/daemon/node_runtime.h"
#include "agent/daemon/policy_choice.h"
#include "agent/daemon/policy_freshness.h"
#include "agent/daemon/policy_store.h"
#include "agent/daemon/removal_mode.h"
#include "agent/daemon/status_board.h"
#include "agent/kube/cluster.h"
#include "agent/model/node_event.h"
#include "agent/model/ports.h"
#include "agent/model/use_source.h"
#include "agent/telemetry/log.h"
#include "agent/telemetry/metrics.h"

// The threads beside an agent's loop that follow its policy and its runtime, and their shared
// state.

namespace imagesweep {

// The shared state of the threads of one agent; the order of members is the start order.
struct AgentContext {
  explicit AgentContext(const Options& given);

  const Options& options;
  RealClock clock;
  std::shared_ptr<Log> log;
  Metrics metrics;
  Health health{clock};
  PolicyStore policies;
  PolicyFreshness freshness{clock};
  StatusBoard status;
  Wakeup wakeup;
  std::optional<SteadyTime> uses_not_written;  // the time of the last log line about it
  std::unique_ptr<EventPublisher> events;  // empty: writes no events; set before its users start
  std::optional<RemovalModeWatch> mode;    // set together with the log

  void Publish(NodeEvent event) const;
  // Logs that uses cannot be written to the state directory, once an hour.  One thread.
  void UsesNotWritten(const Error& why);
  // Updates health, metrics, events and the log, and wakes the agent for a new policy.
  void PolicyChanged(PolicyStore::Change change);
};

// Reports to health, metrics, events and the log while the policy cannot be read, until `stop`.
void WatchPolicyFreshness(AgentContext& shared, const std::stop_token& stop);
// Follows a policy file until `stop`.
void FollowPolicyFile(const std::string& path, AgentContext& shared, const std::stop_token& stop);
// Follows the policy ConfigMap, or the override while it exists.  `choice` must outlive the watches
// of the cluster.
void FollowConfigMaps(const Options& options, kube::Cluster& cluster, PolicyChoice& choice,
                      const Clock& clock);

// Waits for the runtime, because an agent does not exit without one.  Null: stopped.
std::unique_ptr<NodeRuntime> AwaitRuntime(const Options& options, AgentContext& shared,
                                          const std::stop_token& stop);
// Checks that the runtime answers, until `stop`.
void WatchRuntime(RuntimeReader& runtime, AgentContext& shared, const std::stop_token& stop);
// Hooks of a watch of the runtime's events that log its start and its loss.
UseSource::Hooks LoggedUses(AgentContext& shared);

}  // namespace imagesweep
