#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "agent/gc/sweeper.h"
#include "agent/model/node_event.h"
#include "agent/telemetry/log.h"

namespace imagesweep {

// Reports at once when dryRun or suspend is turned on or off on this node, with a log line and an
// Event.  The next run may start only minutes later, too late for an operator who watches the
// change.  Any thread.
class RemovalModeWatch {
 public:
  // Must not block.
  using Publish = std::function<void(NodeEvent)>;
  // `force_dry_run`: dry run, also when the policy has dryRun: false.  `log` must outlive it.
  RemovalModeWatch(bool force_dry_run, Log& log, Publish publish);

  // Reports each policy.  The mode ignores overrides until the labels of the node are known.
  void PolicyLoaded(std::shared_ptr<const ActivePolicy> active);
  // `labels`: read by a run.  They select the override of this node.
  void LabelsRead(const NodeLabels& labels);

 private:
  struct Mode {
    bool dry_run = true;
    bool suspended = false;
    friend bool operator==(const Mode&, const Mode&) = default;
  };
  Mode ModeNow() const;
  void ReportPolicy(const std::optional<Mode>& before);

  const bool force_dry_run_;
  Log& log_;
  const Publish publish_;
  std::mutex mu_;
  std::shared_ptr<const ActivePolicy> active_;
  std::optional<NodeLabels> labels_;
  std::optional<Mode> reported_;
};

}  // namespace imagesweep
