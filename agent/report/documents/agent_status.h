#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep {

// The health of one agent at one time: the document of /api/v1/status and the output of
// `imagesweep status`.
struct AgentStatus {
  struct Check {
    std::string name;  // "runtime", "policy", "last-run"
    bool ok = false;
    std::string text;
  };
  struct Run {
    std::string run;  // id
    SystemTime started, finished;
    bool dry_run = true;
    std::string result;        // "success", "partial", "noop", "error"
    std::string headline;      // one line
    std::size_t removed = 0;   // in a dry run, images that a run would remove
    std::uint64_t bytes = 0;   // the sum of their sizes
    std::string refused_by;    // the source that could not be read; empty: the run did not abort
    std::string refused_text;  // the error
  };
  // Images that the policy removes in a later run.
  struct Waiting {
    std::string code;  // "Limit", "Window"
    std::string waits_for;
    std::size_t images = 0;
    std::uint64_t bytes = 0;  // the sum of their sizes
  };
  struct PolicyInForce {
    std::string source, sha256, profile;
    std::string matched_override;  // labels of the override in force: "pool=ci"; empty: none
  };

  std::string node, version;
  SystemTime observed;
  std::vector<std::string> problems;  // why the agent is unhealthy; empty: it is healthy
  std::vector<Check> checks;
  std::optional<Run> last_run;         // empty: no run yet
  bool running = false;                // a run is in progress
  std::optional<SystemTime> next_run;  // empty: a run is in progress, or none is scheduled
  std::vector<Waiting> waiting;
  bool dry_run = true;
  bool dry_run_forced = false;  // by --dry-run of the agent, regardless of the policy
  bool suspend = false;
  std::optional<PolicyInForce> policy;
  std::string policy_problem;  // why the newest policy is not in force; empty: it is in force
  // The reason why the document has only problems and checks; empty: the document is complete.
  std::string incomplete;

  bool well() const { return problems.empty(); }
};

std::string AgentStatusJson(const AgentStatus& status);  // kind AgentStatus

// kIncomplete if the text is not a document of this kind.
Result<AgentStatus> ParseAgentStatus(const std::string& json);

// Text for a terminal.  The first line is the result: "Healthy: …" or "Unhealthy: …".
std::string AgentStatusText(const AgentStatus& status);

}  // namespace imagesweep
