#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/app/hourly_warnings.h"
#include "agent/execute/executor.h"
#include "agent/execute/gate.h"
#include "agent/layers/reader.h"
#include "agent/model/image_archiver.h"
#include "agent/model/image_index.h"
#include "agent/model/kubelet.h"
#include "agent/model/policy.h"
#include "agent/model/ports.h"
#include "agent/model/report.h"
#include "agent/state/history.h"
#include "agent/state/ledger.h"

namespace imagesweep {

class RemovalJournal;

// A valid policy and where it came from.
struct ActivePolicy {
  Policy policy;
  PolicySource source;
  std::string text = {};  // the document; empty for the defaults
};

// The parts of one node that a run works with.  `pods` is null when told to do without Kubernetes.
struct NodeParts {
  RuntimeReader& runtime;
  PodReader* pods;
  ImageRemover& remover;
  Filesystem& filesystem;
  Ledger& ledger;
  const Clock& clock;
  History* history = nullptr;  // null: nothing is kept of the runs
  // Asks the node's kubelet; empty: its defaults are assumed.
  std::function<Result<KubeletThresholds>(const std::stop_token&)> kubelet = {};
  WorkloadReader* workloads = nullptr;  // null: with pods, keep.workloads makes every run refuse
  // What containerd itself says of its layers, and its way to remove many images at once; null:
  // there is only the CRI.
  layers::LayerReader* layers = nullptr;
  ImageRemover* batch_remover = nullptr;
  // Makes what keeps copies as keep.archive says; empty: images that it is for stay.
  std::function<std::unique_ptr<ImageArchiver>(const Archive&)> archiver = {};
  OriginReader* origins = nullptr;       // null: origins are as the runtime's list has them
  RegistryVerifier* verifier = nullptr;  // null: with keep.verifyRegistry nothing goes
  // Gives names back that an interrupted removal took; null: a warning says that nothing can.
  NameRestorer* name_restorer = nullptr;
};

struct SweepOptions {
  std::optional<bool> dry_run;  // empty: as the policy says
  // How long the agent has been running; empty for a command that a person gave, which has no
  // initialDelay and needs no confirmation.
  std::optional<Millis> running_for;
  Executor::Hooks hooks;
  // Why the run may remove nothing, known before it looked; what it sees still counts as seen.
  std::optional<Refusal> refused = {};
  // Bytes that are to be available on the image filesystem in the end, and then no image more goes;
  // 0: as the policy's marks say.
  std::uint64_t room = 0;
};

// One pass: policy + references + images -> plan -> execution -> report.  Remembers between runs
// only what the gate and the back-off need.  Not for several threads.
class Sweeper {
 public:
  // References of pods that came and went since the last run; they refresh last use.
  using RecentReferences = std::function<std::vector<ImageReference>()>;

  Sweeper(NodeParts parts, std::string node, std::optional<OwnPod> own_pod,
          RecentReferences recent = {});

  // Looks and decides; removes nothing.
  // `layers`: what they say goes there, for other plans of the same look; null when not known.
  Report Evaluate(const ActivePolicy& active, const std::stop_token& stop,
                  std::shared_ptr<const layers::LayerGraph>* layers = nullptr);
  // Looks, decides, removes, looks again.
  Report Sweep(const ActivePolicy& active, const SweepOptions& options,
               const std::stop_token& stop);

 private:
  // What one run looked at.
  struct View {
    Evidence evidence;
    std::optional<ImageIndex> index;
    std::shared_ptr<const layers::LayerGraph> graph;  // null: what images share is not known
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
  static void WarnOfBlindness(const View& view, Report& report);
  void Execute(const View& view, const SweepOptions& options, Report& report,
               const std::stop_token& stop);
  std::optional<DiskUsage> ReadDisk(std::uint64_t room, Report& report,
                                    const std::stop_token& stop);
  void LookAfterwards(const View& view, RemovalJournal& journal, Report& report,
                      const std::stop_token& stop);
  Result<std::vector<Image>> ListWithoutTheRemoved(const Report& report,
                                                   const std::stop_token& stop);

  NodeParts parts_;
  const std::string node_;
  const RecentReferences recent_;
  Gate gate_;
  Executor executor_;
  HourlyWarnings told_;
};

}  // namespace imagesweep
