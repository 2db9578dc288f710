#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/report.h"
#include "agent/model/run_entry.h"

namespace imagesweep::web {

struct HealthCheck {
  std::string name;
  bool ok = false;
  std::string text;
};

// A recorded run with the state before and after it, if known.  `after` of a dry run is an estimate
// of the state after the same run with removals.
struct RunRow {
  RunEntry entry;
  std::optional<NodeTotals> before, after;
};

struct PolicyView {
  PolicySource source;
  std::string profile;
  std::string matched_override;  // the node labels of the override: "pool=ci"; empty: none
  bool dry_run = true;
  bool suspend = false;
  std::string text;     // the complete policy as YAML
  std::string problem;  // the reason why the newest text is not in force; empty: it is
};

// The data of the pages at one moment.
struct StatusView {
  SystemTime now;
  std::string version;
  std::string node;
  // The last run with verdicts; null: no such run yet.
  std::shared_ptr<const Report> report;
  // The last run, if it aborted; otherwise null.  Equals `report` if it aborted after the verdicts.
  std::shared_ptr<const Report> refused;
  std::vector<HealthCheck> checks;
  std::optional<PolicyView> policy;    // empty: no policy is in force
  std::string policy_problem;          // the reason
  std::vector<RunRow> runs;            // newest first
  std::string runs_problem;            // the error of reading the runs; empty: none
  bool alive = true;                   // the loop makes progress
  bool running = false;                // a run is in progress
  std::optional<SystemTime> next_run;  // empty: a run is in progress, or none is scheduled
  bool force_dry_run = false;          // the agent runs with --dry-run
};

}  // namespace imagesweep::web
