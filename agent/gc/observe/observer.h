#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/gc/observe/node_dependencies.h"
#include "agent/gc/remove/evidence_gate.h"
#include "agent/imagestore/graph/graph.h"
#include "agent/model/evidence.h"
#include "agent/model/image_index.h"
#include "agent/model/policy.h"
#include "agent/model/report.h"

namespace imagesweep {

// All that one run knows about its node.  Observer makes it; nothing changes it afterwards.
struct NodeState {
  NodeState() = default;
  NodeState(const NodeState&) = delete;  // `index` points into `evidence`
  NodeState& operator=(const NodeState&) = delete;

  // A source that could not be read, or that the evidence gate rejects; then the rest has only what
  // was read before it.  Empty: the run may plan and remove.
  std::optional<Refusal> refused;
  Evidence evidence;                // as the sources gave it; rechecks compare images with it
  std::optional<ImageIndex> index;  // of evidence.images
  std::shared_ptr<const layers::LayerGraph> graph;  // null: layers are not known
  Observation seen;                                 // what the plan evaluates
  Policy policy;                                    // in effect on this node, overrides applied
  std::string matched_override;  // the node labels of the override: "pool=ci"; empty: none
  EvidenceSummary summary;
  std::size_t referenced_images = 0;
  std::vector<std::string> warnings;
};

// Reads a node once per run.  Keeps only what the evidence gate remembers.  One thread at a time.
class Observer {
 public:
  // References of pods and containers that existed only between two runs, which refresh the last
  // use, and marks of images that were pulled again (kCameAgain).
  using RecentReferences = std::function<std::vector<ImageReference>()>;
  struct Options {
    bool by_agent = false;  // a daemon observes, not a command
    // Bytes that must be available; 0: the thresholds of the policy decide which disk matters.
    std::uint64_t free_space_target = 0;
    // Why an image cannot be removed in this run; an empty text: it can.
    std::function<std::string(const ImageId&)> why_unavailable = {};
  };

  Observer(const NodeDependencies& node, std::optional<OwnPod> own_pod, RecentReferences recent);

  // Reads images first and references last, so that an image that comes into use in between is seen
  // as used.  Never null.
  // `at`: the time of the observation, which windows and ages are compared with.
  std::unique_ptr<const NodeState> Observe(const Policy& policy, SystemTime at,
                                           const Options& options, const std::stop_token& stop);

  // Measures the disk of `before` again after removals.  Empty: it is unknown, and `warnings` says
  // why.
  std::optional<DiskUsage> DiskAfter(const NodeState& before, const Options& options, bool removed,
                                     std::vector<std::string>& warnings,
                                     const std::stop_token& stop);

  const Expectations& expected() const { return gate_.expected(); }

 private:
  std::optional<Refusal> Read(NodeState& state, SystemTime at, const Options& options,
                              const std::stop_token& stop);
  std::optional<Refusal> ReadEvidence(NodeState& state, const std::stop_token& stop);
  std::optional<Refusal> ReadLayers(NodeState& state, const std::stop_token& stop);
  std::optional<Refusal> ReadWorkloads(NodeState& state, const std::stop_token& stop);
  void ReadAges(NodeState& state, const ImageIndex& index, const ByImage<bool>& in_use,
                bool by_agent);
  std::optional<DiskUsage> ReadDisk(const Policy& policy, std::uint64_t free_space_target,
                                    std::vector<std::string>& warnings,
                                    const std::stop_token& stop);

  const NodeDependencies node_;
  const RecentReferences recent_;
  EvidenceGate gate_;
};

}  // namespace imagesweep
