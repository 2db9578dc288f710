#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/gc/hourly_warnings.h"
#include "agent/gc/remove/evidence_gate.h"
#include "agent/gc/remove/executor.h"
#include "agent/imagestore/graph/graph_reader.h"
#include "agent/model/evidence.h"
#include "agent/model/image_index.h"
#include "agent/model/policy.h"
#include "agent/model/ports.h"
#include "agent/model/report.h"
#include "agent/state/age_store.h"
#include "agent/state/history.h"

namespace imagesweep {

class RemovalJournal;

// A valid policy and its source.
struct ActivePolicy {
  Policy policy;
  PolicySource source;
  std::string text = {};  // the document; empty for the defaults
};

// The parts of one node that a run uses.  `pods` is null with --without-kubernetes.
struct NodeDependencies {
  RuntimeReader& runtime;
  PodReader* pods;
  ImageRemover& remover;
  Filesystem& filesystem;
  AgeStore& age_store;
  const Clock& clock;
  History* history = nullptr;  // null: runs are not recorded
  // Reads the thresholds of the kubelet; empty: its defaults are assumed.
  std::function<Result<KubeletThresholds>(const std::stop_token&)> kubelet = {};
  WorkloadReader* workloads = nullptr;  // null: with pods, keep.workloads aborts every run
  // containerd's own layers and batch removal; null: only the CRI.
  layers::LayerReader* layers = nullptr;
  ImageRemover* batch_remover = nullptr;
  // Creates the archiver for keep.archive; empty: images that need an archive stay.
  std::function<std::unique_ptr<ImageArchiver>(const Archive&)> archiver = {};
  OriginReader* origins = nullptr;       // null: origins as in the list of the runtime
  RegistryVerifier* verifier = nullptr;  // null: with keep.verifyRegistry no image is removed
  // Restores names that an interrupted removal deleted; null: a run only warns.
  NameRestorer* name_restorer = nullptr;
};

struct SweepOptions {
  std::optional<bool> dry_run;  // empty: as the policy says
  // Uptime of the agent; empty for a command, which has no initialDelay and no confirmRuns.
  std::optional<Millis> running_for;
  Executor::Hooks hooks;
  // The reason why the run must abort, known beforehand.  Its observation still counts.
  std::optional<Refusal> refused = {};
  // Remove images only until this many bytes are available on the image filesystem; 0: by the
  // thresholds of the policy.
  std::uint64_t free_space_target = 0;
};

// One pass: policy + references + images -> plan -> execution -> report.  Keeps only the state of
// the gate and the back-off between runs.  One thread at a time.
class Sweeper {
 public:
  // References of pods that existed only between two runs; they refresh the last use.
  using RecentReferences = std::function<std::vector<ImageReference>()>;

  Sweeper(NodeDependencies parts, std::string node, std::optional<OwnPod> own_pod,
          RecentReferences recent = {});

  // Observes and plans; removes nothing.
  // `layers` receives the layer graph for other plans of the same observation, or null.
  Report Evaluate(const ActivePolicy& active, const std::stop_token& stop,
                  std::shared_ptr<const layers::LayerGraph>* layers = nullptr);
  // Observes, plans, removes, verifies.
  Report Sweep(const ActivePolicy& active, const SweepOptions& options,
               const std::stop_token& stop);

 private:
  // The observation of one run.
  struct View {
    Evidence evidence;
    std::optional<ImageIndex> index;
    std::shared_ptr<const layers::LayerGraph> graph;  // null: layers are not known
    std::vector<std::string> warnings;                // of the sources of evidence
  };
  Report Begin(const ActivePolicy& active);
  std::optional<Refusal> ReadEvidence(View& view, const std::stop_token& stop);
  std::optional<Refusal> ReadLayers(View& view, const std::stop_token& stop);
  std::optional<Refusal> ReadWorkloads(Report& report, Evidence& evidence,
                                       const std::stop_token& stop);
  std::optional<DiskUsage> DiskAfter(Report& report, const std::stop_token& stop);
  std::optional<Refusal> Observe(View& view, const SweepOptions& options, Report& report,
                                 const std::stop_token& stop);
  void Decide(const View& view, const SweepOptions& options, Report& report,
              const std::stop_token& stop);
  static void WarnOfPreconditions(const View& view, Report& report);
  void Execute(const View& view, const SweepOptions& options, Report& report,
               const std::stop_token& stop);
  std::optional<DiskUsage> ReadDisk(std::uint64_t free_space_target, Report& report,
                                    const std::stop_token& stop);
  void VerifyRun(const View& view, RemovalJournal& journal, Report& report,
                 const std::stop_token& stop);
  Result<std::vector<Image>> WaitUntilUnlisted(const Report& report, const std::stop_token& stop);

  NodeDependencies parts_;
  const std::string node_;
  const RecentReferences recent_;
  EvidenceGate gate_;
  Executor executor_;
  HourlyWarnings told_;
};

}  // namespace imagesweep
