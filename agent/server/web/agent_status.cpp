#include "agent/server/web/agent_status.h"

#include <map>
#include <string_view>
#include <utility>

#include "agent/report/documents/text.h"
#include "agent/server/web/frame.h"

namespace imagesweep::web {
namespace {

AgentStatus::Run RunOf(const RunEntry& entry) {
  AgentStatus::Run run;
  run.run = entry.run;
  run.started = entry.started;
  run.finished = entry.finished;
  run.dry_run = entry.dry_run;
  run.result = entry.result;
  run.headline = entry.headline;
  run.removed = entry.removed;
  run.bytes = entry.bytes;
  return run;
}

AgentStatus::Run RunOf(const Report& report) {
  AgentStatus::Run run = RunOf(RunEntryOf(report));
  if (report.refused) {
    run.refused_by = report.refused->source;
    run.refused_text = report.refused->error.what;
  }
  return run;
}

std::vector<AgentStatus::Waiting> WaitingOf(const Report& report) {
  std::map<std::string_view, AgentStatus::Waiting> groups;
  for (const Decision& decision : report.plan.decisions) {
    if (decision.verdict != Verdict::kDefer) continue;
    AgentStatus::Waiting& group = groups[decision.waits_for];
    group.code = ToString(decision.code);
    group.waits_for = decision.waits_for;
    ++group.images;
    group.bytes += report.observation.images[decision.image].size_bytes;
  }
  std::vector<AgentStatus::Waiting> waiting;
  for (auto& [what, group] : groups) waiting.push_back(std::move(group));
  return waiting;
}

// The report of the last run in this process; null: no run has finished.
const Report* LastRun(const StatusView& view) {
  return view.refused ? view.refused.get() : view.report.get();
}

std::string Missing(const Report& report) {
  std::string text = "the last run did not find " + Counted(report.missing_after.size(), "image") +
                     " that pods or containers use:";
  for (const std::string& name : report.missing_after) text += " " + name;
  return text;
}

std::vector<std::string> ProblemsOf(const StatusView& view) {
  std::vector<std::string> problems;
  if (!view.alive) problems.emplace_back("the agent has made no progress for 15 minutes");
  bool rejected = !view.policy_problem.empty();
  for (const HealthCheck& check : view.checks) {
    if (check.ok || check.name == "last-run") continue;
    problems.push_back(check.name + ": " + check.text);
    if (check.name == "policy") rejected = false;  // the text of the check contains the problem
  }
  if (rejected) problems.push_back("the newest policy is not in force: " + view.policy_problem);
  const Report* const last = LastRun(view);
  if (last == nullptr) {
    if (problems.empty()) problems.emplace_back("no run has finished since the agent started");
  } else if (last->refused) {
    problems.push_back(Summary(*last));
  } else {
    if (last->Failures() > 0)
      problems.push_back("the last run failed to remove " + Counted(last->Failures(), "image") +
                         "; `imagesweep report` shows them");
    if (!last->missing_after.empty()) problems.push_back(Missing(*last));
  }
  return problems;
}

}  // namespace

AgentStatus AgentStatusOf(const StatusView& view) {
  AgentStatus status;
  status.node = view.node;
  status.version = view.version;
  status.observed = view.now;
  status.problems = ProblemsOf(view);
  for (const HealthCheck& check : view.checks)
    status.checks.push_back({check.name, check.ok, check.text});
  if (const Report* const last = LastRun(view); last != nullptr)
    status.last_run = RunOf(*last);
  else if (!view.runs.empty())
    status.last_run = RunOf(view.runs.front().entry);
  status.running = view.running;
  status.next_run = view.next_run;
  if (view.report) status.waiting = WaitingOf(*view.report);
  status.dry_run_forced = view.force_dry_run;
  status.dry_run = view.force_dry_run || !view.policy || view.policy->dry_run;
  status.suspend = view.policy && view.policy->suspend;
  if (view.policy)
    status.policy = {view.policy->source.description, view.policy->source.sha256,
                     view.policy->profile, view.policy->matched_override};
  status.policy_problem = view.policy_problem;
  return status;
}

}  // namespace imagesweep::web
