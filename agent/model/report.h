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
  // Of kSpared: the remover cannot remove it, or something outside of the CRI uses it.  The next
  // run would find the same, so the image counts as unavailable for a while.
  bool unavailable = false;
  // Of kFailed: the connection to the runtime was lost, so the runtime may never have been asked.
  bool lost = false;
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

// Bytes and inodes that come free, by the layers.
struct SpaceFigure {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
  std::string certainty = "exact";  // "at most", "at least", "roughly"
  std::string why;                  // empty when exact

  bool exact() const { return why.empty(); }
};

// One image's layers.
struct ImageSpace {
  std::uint64_t total_bytes = 0;   // all its layers and blobs, shared or not
  std::uint64_t unique_bytes = 0;  // those no other image has
  std::uint64_t frees_bytes = 0;   // what its removal alone would free
};

// What the layers say, on a runtime that lets them be read.
struct LayerFigures {
  std::vector<ImageSpace> images;  // parallel to Observation::images
  SpaceFigure planned;             // all removals of the plan, as a set
  SpaceFigure removed;             // those that went, or would have gone in a dry run
  // By statvfs, before minus after; whatever else wrote or removed meanwhile is in it.
  std::optional<std::int64_t> measured_bytes;
  std::optional<std::int64_t> measured_inodes;
  std::string off_by;  // how far an exact prediction was from that; empty: close enough
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
  std::optional<LayerFigures> layers;  // empty: not known, and `warnings` may say why
  std::optional<Snapshot> before;
  std::optional<Snapshot> after;
  // Of a dry run that would remove images: an estimate of what a run that removes them leaves.  The
  // disk is empty where the sizes of layers are not known.
  std::optional<Snapshot> predicted_after;
  std::size_t referenced_images = 0;
  std::vector<std::string> missing_after;      // referenced images that a second look did not find
  std::vector<double> recheck_window_seconds;  // last look to removal call, one per call
  // From the first batch until the space of all was free, or that failed, pauses and all; empty: no
  // batch was begun, or this was a dry run.
  std::optional<double> removal_seconds;
  std::vector<std::string> warnings;

  std::size_t Count(OutcomeKind kind) const;
  // Of images that could not be removed, and of those that the runtime still lists.
  std::size_t Failures() const;
};

// How the run ended: "error" (it refused), "partial", "success", or "noop".
std::string_view ResultOf(const Report& report);

}  // namespace imagesweep
