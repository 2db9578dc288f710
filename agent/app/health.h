#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/guarded.h"
#include "agent/http/server.h"
#include "agent/model/report.h"

namespace imagesweep {

// What the probes say.  Alive: the loop makes progress; a runtime that is away must not have every
// agent restarted.  Ready: the runtime answers and a policy is in force.  Any thread.
class Health {
 public:
  explicit Health(const Clock& clock);

  // The loop made progress.
  void Beat();
  // Empty: the runtime answers.
  void SetRuntime(const RuntimeIdentity& identity, const std::optional<Error>& problem);
  // `problem`: why the last text is not in force; empty when it is.
  void SetPolicy(const std::optional<PolicySource>& in_force, const std::string& problem);
  // Why nobody knows whether that is still the policy; empty while somebody does.  Does not count
  // towards readiness: all agents lose sight of it when the API server is away.
  void SetPolicyUnread(const std::string& complaint);
  void SetLastRun(const Report& report);
  // A run is in progress until the next one is scheduled.
  void SetRunning();
  // When the next run begins, unless something wakes the agent before.
  void SetNextRun(SystemTime at);

  struct Check {
    std::string name;
    bool ok = false;
    std::string text;
  };
  // Runtime, policy and last run.
  std::vector<Check> Checks() const;

  struct Schedule {
    bool running = false;
    std::optional<SystemTime> next;  // empty: a run is in progress, or none is scheduled
  };
  Schedule NextRun() const;

  // The loop makes progress.
  bool Alive() const;
  HttpReply Live() const;
  // `query` with "verbose" lists the checks and the last run, the way kube-apiserver's readyz does.
  HttpReply Ready(const std::string& query) const;

 private:
  struct State {
    SteadyTime beat;
    Check runtime{"runtime", false, "not asked yet"};
    Check policy{"policy", false, "no policy yet; nothing is removed"};
    std::string policy_unread;
    Schedule schedule;
    Check evidence{"last-run", false, "no run yet"};
    Check public_evidence{"last-run", false, "no run yet"};
  };
  const Clock& clock_;
  Guarded<State> state_;
};

}  // namespace imagesweep
