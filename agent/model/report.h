#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/evidence.h"
#include "agent/model/image_build.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

enum class OutcomeKind {
  kRemoved,
  kWouldRemove,  // dry run
  kSkipped,      // skipped: in use, changed, or no longer selected since the plan was made
  kFailed,       // the runtime refused, or did not answer
  kStillListed,  // the runtime reported success, but still lists the image
};

std::string_view ToString(OutcomeKind kind);  // "Removed"

// The result of one planned removal.
struct Outcome {
  ImagePos image;
  OutcomeKind kind = OutcomeKind::kFailed;
  std::string detail;  // why it was skipped, or the error; otherwise empty
  // For kSkipped: the remover cannot remove it, or something outside of the CRI uses it.  The next
  // run would find the same, so the image counts as unavailable for a while.
  bool unavailable = false;
  // For kFailed: the connection to the runtime was lost, so the runtime may not have received the
  // call.
  bool lost = false;
};

// The state of the sources at the time of the decision.
struct EvidenceSummary {
  bool without_kubernetes = false;
  std::size_t pods = 0;
  std::string resource_version;
  double pods_age_seconds = 0;
  std::size_t containers = 0;
  std::size_t unfinished_pods = 0;  // not Succeeded or Failed, before the run
  std::size_t ready_pods = 0;       // of these, ready before the run
  // The same after the run.  Empty: pods were not read again.
  std::optional<std::size_t> ready_pods_after;
};

// An image that is larger than policy.sizeLimits allows.
struct Oversized {
  ImagePos image;
  std::uint64_t max_size = 0;
};

// An image that runs removed within the last 7 days and that is on the node again.
struct PulledAgain {
  ImagePos image;
  int times = 0;                // number of removals
  std::string code;             // code of the last removal
  bool since_last_run = false;  // this is the first run that sees it again
};

// Bytes and inodes that a removal frees, by the layers.
struct SpaceFigure {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
  std::string certainty = "exact";  // "at most", "at least", "roughly"
  std::string why;                  // empty if exact

  bool exact() const { return why.empty(); }
};

// One image's layers.
struct ImageSpace {
  std::uint64_t total_bytes = 0;   // all its layers and blobs, including shared ones
  std::uint64_t unique_bytes = 0;  // layers and blobs that no other image has
  std::uint64_t frees_bytes = 0;   // freed by its removal alone
};

// Figures from the layers, for a runtime whose layers can be read.
struct LayerFigures {
  ByImage<ImageSpace> images;
  SpaceFigure planned;  // all removals of the plan together
  SpaceFigure removed;  // the removed images, or in a dry run the selected ones
  // By statvfs, before minus after.  Includes what other processes wrote or removed in this time.
  std::optional<std::int64_t> measured_bytes;
  std::optional<std::int64_t> measured_inodes;
  std::string off_by;  // the error of an exact prediction; empty: close enough
};

struct NodeTotals {
  std::size_t images = 0;
  std::uint64_t bytes = 0;              // sum of the runtime's sizes
  std::uint64_t reclaimable_bytes = 0;  // of images that nothing needs
  std::optional<DiskUsage> disk;
};

// The observation, plan and results of one run.  One per run, also for an aborted run.  The log,
// the metrics, the tables and the JSON documents read it.
struct Report {
  std::string run;  // from NewRunId(), sorts by time
  std::string node;
  SystemTime started;
  SystemTime finished;
  bool dry_run = true;
  std::optional<Refusal> refused;
  RuntimeIdentity runtime;
  PolicySource policy;
  std::string policy_text;       // the whole policy as YAML
  Policy effective_policy;       // with the override for this node, if any
  std::string matched_override;  // the labels of this override: "pool=ci"; empty: none
  NodeLabels node_labels;        // empty without Kubernetes
  EvidenceSummary evidence;
  Observation observation;
  Plan plan;
  std::vector<Oversized> oversized;
  std::vector<PulledAgain> pulled_again;  // only with a history
  // Of planned removals that no evidence shows to be in a registry.
  std::vector<ImageBuild> builds;
  std::vector<Outcome> outcomes;
  std::string stopped_early;           // why some planned removals were not tried; empty: all were
  std::optional<LayerFigures> layers;  // empty: unknown, and `warnings` may say why
  std::optional<NodeTotals> before;
  std::optional<NodeTotals> after;
  // For a dry run that would remove images: the estimated state after a run that removes them.  The
  // disk is empty if the sizes of the layers are not known.
  std::optional<NodeTotals> predicted_after;
  std::size_t referenced_images = 0;
  std::vector<std::string> missing_after;      // referenced images that are missing after the run
  std::vector<double> recheck_window_seconds;  // from recheck to removal, one per image
  // From the first batch until all space was free or this failed, including pauses.  Empty: no
  // batch began, or this was a dry run.
  std::optional<double> removal_seconds;
  std::vector<std::string> warnings;

  std::size_t Count(OutcomeKind kind) const;
  // The number of images that could not be removed or that the runtime still lists.
  std::size_t Failures() const;
};

// The result of the run: "error" (aborted), "partial", "success", or "noop".
std::string_view ResultOf(const Report& report);

}  // namespace imagesweep
