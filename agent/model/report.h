#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/evidence.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

enum class OutcomeKind {
  kRemoved,
  kWouldRemove,  // dry run
  kSpared,       // came into use, changed, or was no longer needed to go, after the plan was made
  kFailed,       // the runtime said no, or did not answer
  kStillListed,  // the runtime said yes, and lists it all the same
};

std::string_view ToString(OutcomeKind kind);  // "Removed"

// What became of one planned removal.
struct Outcome {
  std::uint32_t image = 0;  // position in Observation::images
  OutcomeKind kind = OutcomeKind::kFailed;
  std::string detail;  // why spared, or the error; empty else
};

// What was known of the sources when the run decided.
struct EvidenceSummary {
  bool without_kubernetes = false;
  std::size_t pods = 0;
  std::string resource_version;
  double pods_age_seconds = 0;
  std::size_t containers = 0;
  // Of the node's pods that are not finished, before the run and after it (when it was looked).
  std::size_t unfinished_pods = 0;
  std::size_t ready_pods = 0;
  std::optional<std::size_t> ready_pods_after;
};

// An image that is larger than policy.sizeLimits allows.
struct Oversized {
  std::uint32_t image = 0;  // position in Observation::images
  std::uint64_t max_size = 0;
};

// An image that runs removed within the last 7 days, and that is listed again.
struct PulledAgain {
  std::uint32_t image = 0;      // position in Observation::images
  int times = 0;                // that it was removed
  std::string code;             // why the last time
  bool since_last_run = false;  // this is the first run that sees it back
};

struct Snapshot {
  std::size_t images = 0;
  std::uint64_t bytes = 0;              // sum of the runtime's sizes
  std::uint64_t reclaimable_bytes = 0;  // of images that nothing needs
  std::optional<DiskUsage> disk;
};

// All that one run saw, chose and did.  Exactly one per run, also for a run that refused; log,
// metrics, tables and JSON are readers of it.
struct Report {
  std::string run;  // random id
  std::string node;
  SystemTime started;
  SystemTime finished;
  bool dry_run = true;
  std::optional<Refusal> refused;
  RuntimeIdentity runtime;
  PolicySource policy;
  std::string policy_text;   // the whole of it as YAML, for people
  Policy in_force;           // with the override for this node, if any
  std::string override_for;  // whose labels that are: "pool=ci"; empty: none
  NodeLabels node_labels;    // empty without Kubernetes
  EvidenceSummary evidence;
  Observation observation;
  Plan plan;
  std::vector<Oversized> oversized;
  std::vector<PulledAgain> pulled_again;  // of an agent or command that keeps a history
  std::vector<Outcome> outcomes;
  std::string stopped_early;  // why not all planned removals were tried; empty when all were
  std::optional<Snapshot> before;
  std::optional<Snapshot> after;
  std::size_t referenced_images = 0;
  std::vector<std::string> missing_after;      // referenced images that a second look did not find
  std::vector<double> recheck_window_seconds;  // last look to removal call, one per call
  std::vector<std::string> warnings;

  std::size_t Count(OutcomeKind kind) const;
};

}  // namespace imagesweep
