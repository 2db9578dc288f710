#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/gc/hourly_warnings.h"
#include "agent/gc/observe/node_dependencies.h"
#include "agent/gc/observe/observer.h"
#include "agent/gc/remove/executor.h"
#include "agent/model/policy.h"
#include "agent/model/report.h"

namespace imagesweep {

class RemovalJournal;

// A valid policy and its source.
struct ActivePolicy {
  Policy policy;
  PolicySource source;
  std::string text = {};  // the document; empty for the defaults
};

struct SweepOptions {
  std::optional<bool> dry_run = {};  // empty: as the policy says
  // Uptime of the agent; empty for a command, which has no initialDelay and no confirmRuns.
  std::optional<Millis> running_for = {};
  Executor::Hooks hooks = {};
  // Called with the labels of the node after the evidence gate accepts them, before the plan.
  std::function<void(const NodeLabels&)> on_labels = {};
  // The reason why the run must abort, known beforehand.  Its observation still counts.
  std::optional<Refusal> refused = {};
  // Remove images only until this many bytes are available on the image filesystem; 0: by the
  // thresholds of the policy.
  std::uint64_t free_space_target = 0;
};

// One run: observe the node, plan, remove, verify, and report.  Each step makes a value that the
// later ones only read.  Between runs, keeps only the state of the evidence gate, the back-off, and
// the warnings that it has reported.  One thread at a time.
class Sweeper {
 public:
  using RecentReferences = Observer::RecentReferences;

  Sweeper(NodeDependencies node, std::string node_name, std::optional<OwnPod> own_pod,
          RecentReferences recent = {});

  // Observes and plans; removes nothing.
  // `layers` receives the layer graph for other plans of the same observation, or null.
  Report Evaluate(const ActivePolicy& active, const std::stop_token& stop,
                  std::shared_ptr<const layers::LayerGraph>* layers = nullptr);
  // Observes, plans, removes, verifies.
  Report Sweep(const ActivePolicy& active, const SweepOptions& options,
               const std::stop_token& stop);

 private:
  struct Run;         // the identity of a run and the state of the node
  struct PlanResult;  // the plan, and what reports tell of it
  struct Verified;    // the outcomes, compared with the images that are listed after the run

  Run Observe(const ActivePolicy& active, const SweepOptions& options, const std::stop_token& stop);
  Run RestoreNamesAndObserve(Run run, const ActivePolicy& active, const SweepOptions& options,
                             const std::stop_token& stop);
  std::optional<Refusal> CheckPreconditions(const Run& run, const SweepOptions& options) const;
  PlanResult Decide(const Run& run, const SweepOptions& options, const std::stop_token& stop);
  Execution Remove(const Run& run, const Plan& plan, const SweepOptions& options,
                   RemovalJournal& journal, const std::stop_token& stop);
  Verified Verify(const Run& run, const PlanResult& decided, const Execution& done,
                  RemovalJournal& journal, const std::stop_token& stop);
  Result<std::vector<Image>> WaitUntilUnlisted(const Run& run, const Execution& done,
                                               const std::stop_token& stop);
  Report Compose(const Run& run, const ActivePolicy& active, PlanResult decided, Execution done,
                 Verified verified) const;

  const NodeDependencies node_;
  const std::string node_name_;
  Observer observer_;
  Executor executor_;
  HourlyWarnings reported_;
};

}  // namespace imagesweep
