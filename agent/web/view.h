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

// A remembered run with what it was like before and after, when that is known.
struct RunRow {
  RunEntry entry;
  std::optional<Snapshot> before, after;
};

struct PolicyView {
  PolicySource source;
  std::string profile;
  std::string override_for;  // whose labels: "pool=ci"; empty: none
  bool dry_run = true;
  bool suspend = false;
  std::string text;     // the whole of it as YAML
  std::string problem;  // why the newest text is not in force; empty when it is
};

// All that the pages show, at one moment.
struct StatusView {
  SystemTime now;
  std::string version;
  std::string node;
  // The last run that judged the images; null: there was none yet.
  std::shared_ptr<const Report> report;
  // The last run of all, when it was refused; null else.  The same one, when that came later than
  // the verdicts.
  std::shared_ptr<const Report> refused;
  std::vector<HealthCheck> checks;
  std::optional<PolicyView> policy;  // empty: none is in force
  std::string policy_problem;        // why not
  std::vector<RunRow> runs;          // newest first
  std::string runs_problem;          // why they cannot be told; empty when they can
  bool alive = true;                 // the loop makes progress
  bool running = false;              // a run is in progress
  std::optional<SystemTime> next_run;  // empty: a run is in progress, or none is scheduled
  bool force_dry_run = false;          // of the agent, regardless of the policy
};

}  // namespace imagesweep::web
