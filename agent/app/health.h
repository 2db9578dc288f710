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
  // `problem`: why the last policy was rejected; empty when it is in force.  A rejected policy fails
  // the check, so that its line does not say "ok", and leaves the agent ready while an earlier one is
  // in force: an edit that is wrong must not make the pods of all nodes unready.
  void SetPolicy(const std::optional<PolicySource>& in_force, const std::string& problem);
  // Why nobody knows whether that is still the policy; empty while somebody does.  Does not count
  // towards readiness: all agents lose sight of it when the API server is away.
  void SetPolicyUnread(const std::string& complaint);
  void SetLastRun(const Report& report);

  struct Check {
    std::string name;
    bool ok = false;
    std::string text;
  };
  // Runtime, policy and last run.
  std::vector<Check> Checks() const;

  HttpReply Live() const;
  // `query` with "verbose" lists the checks and the last run, the way kube-apiserver's readyz does.
  HttpReply Ready(const std::string& query) const;

 private:
  struct State {
    SteadyTime beat;
    Check runtime{"runtime", false, "not asked yet"};
    Check policy{"policy", false, "no policy yet; nothing is removed"};
    bool policy_in_force = false;
    std::string policy_unread;
    Check evidence{"last-run", false, "no run yet"};
    Check public_evidence{"last-run", false, "no run yet"};
  };
  const Clock& clock_;
  Guarded<State> state_;
};

}  // namespace imagesweep
