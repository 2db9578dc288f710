#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/guarded.h"
#include "agent/model/report.h"
#include "agent/server/http/server.h"

namespace imagesweep {

// The state behind the probes.  Live: the loop makes progress, so an unreachable runtime does not
// restart the agents.  Ready: the runtime answers and a policy is in force.  Any thread.
class Health {
 public:
  explicit Health(const Clock& clock);

  // The loop made progress.
  void Beat();
  // Empty: the runtime answers.
  void SetRuntime(const RuntimeIdentity& identity, const std::optional<Error>& problem);
  // `problem`: the reason why the last policy was rejected; empty: it is in force.  A rejected
  // policy fails the check, so that its line does not say "ok".  The agent stays ready while an
  // earlier policy is in force, because an invalid edit must not make the pods of all nodes
  // unready.
  void SetPolicy(const std::optional<PolicySource>& effective_policy, const std::string& problem);
  // The reason why the policy cannot be read; empty: it can.  Does not count toward readiness,
  // because all agents lose the policy when the API server is unreachable.
  void SetPolicyUnread(const std::string& complaint);
  void SetLastRun(const Report& report);
  // Records that a run is in progress, until the next SetNextRun.
  void SetRunning();
  // Sets the time of the next run.  A change of the policy can start a run earlier.
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

  // Whether the loop makes progress.
  bool Alive() const;
  HttpReply Live() const;
  // With "verbose" in `query`, lists the checks and the last run, as the readyz of kube-apiserver.
  HttpReply Ready(const std::string& query) const;

 private:
  struct ProbeState {
    SteadyTime beat;
    Check runtime{"runtime", false, "not connected yet"};
    Check policy{"policy", false, "no policy loaded yet; nothing is removed"};
    bool policy_in_force = false;
    std::string policy_unread;
    Schedule schedule;
    Check evidence{"last-run", false, "no run yet"};
    Check public_evidence{"last-run", false, "no run yet"};
  };
  const Clock& clock_;
  Guarded<ProbeState> state_;
};

}  // namespace imagesweep
