#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "agent/app/sweeper.h"
#include "agent/model/node_event.h"
#include "agent/report/log.h"

namespace imagesweep {

// Tells when dryRun or suspend is turned on or off on this node, at once: a line in the log and an
// Event.  A run may begin minutes later, and is too late for an operator who watches.  Any thread.
class RemovalModeWatch {
 public:
  // Must not block.
  using Tell = std::function<void(NodeEvent)>;
  // `force_dry_run`: dry run whatever the policy says.  `log` must outlive it.
  RemovalModeWatch(bool force_dry_run, Log& log, Tell tell);

  // Tells of each policy; of the mode as far as it is known which override holds on this node.
  void PolicyLoaded(std::shared_ptr<const ActivePolicy> active);
  // What a run read.  They decide which override holds.
  void LabelsRead(const NodeLabels& labels);

 private:
  struct Mode {
    bool dry_run = true;
    bool suspended = false;
    friend bool operator==(const Mode&, const Mode&) = default;
  };
  Mode ModeNow() const;
  void TellPolicy(const std::optional<Mode>& before);

  const bool force_dry_run_;
  Log& log_;
  const Tell tell_;
  std::mutex mu_;
  std::shared_ptr<const ActivePolicy> active_;
  std::optional<NodeLabels> labels_;
  std::optional<Mode> told_;
};

}  // namespace imagesweep
