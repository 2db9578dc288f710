#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/gc/remove/rechecker.h"
#include "agent/gc/remove/removal_backoff.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"
#include "agent/model/ports.h"
#include "agent/model/report.h"

namespace imagesweep {

// The result of the execution of a plan.
struct Execution {
  std::vector<Outcome> outcomes;   // in the order of the attempts
  std::optional<Refusal> refused;  // a source could not be read: nothing more was removed
  std::string stopped_early;       // why some were not tried; empty: all were
  std::vector<double> recheck_window_seconds;
  std::optional<double> seconds;  // from the first batch until the space was free; empty: no batch
};

// Executes a plan in its order, in batches of the size that the remover supports, each image within
// 50 ms of a recheck, with pauses between batches.  Ends when all images are done, too many
// removals failed, a source cannot be read, or a stop is requested.  Remembers failed images
// between runs. One thread at a time.
class Executor {
 public:
  Executor(RuntimeReader& runtime, PodReader* pods, WorkloadReader* workloads,
           Filesystem& filesystem, const Expectations& expected, const Clock& clock)
      : filesystem_(filesystem),
        rechecker_(runtime, pods, workloads, expected, clock),
        clock_(clock) {}

  struct Hooks {
    // Called with the images of a batch before their recheck, and with their outcomes.
    std::function<void(const std::vector<ImagePos>& images)> before_batch;
    std::function<void(const std::vector<Outcome>& outcomes)> after_batch;
    // Called once before the first batch.
    std::function<void(const Plan& plan, const Observation& seen)> on_begin;
    // Called with each outcome.
    std::function<void(const Outcome&, const Image&)> on_outcome;
    // Called after each part of a long operation.
    std::function<void()> on_progress;
    // Called before each batch: why the run must end.  Empty: continue.
    std::function<std::string()> reason_to_end;
  };

  // `disk`: the disk use of the plan.  Images to remove for space are skipped after the thresholds
  // are reached.  Empty: they are removed without this check.
  Execution Run(const Plan& plan, const Policy& policy, const Evidence& evidence,
                const ImageIndex& index, const std::optional<DiskUsage>& disk,
                ImageRemover& remover, const std::stop_token& stop, const Hooks& hooks);

  // Why a run that begins now cannot remove an image: its removal failed or was skipped recently.
  // Empty: it can.
  std::string WhyUnavailable(const ImageId& id) const;

  // Corrects the outcomes after the run: an image that the runtime still lists was not removed, and
  // an image that it does not list was removed, even if the call failed.
  void Verify(const Evidence& evidence, const std::vector<Image>& listed_after,
              std::vector<Outcome>& outcomes);

 private:
  std::vector<ImagePos> NextBatch(std::span<const ImagePos>& rest, const Plan& plan,
                                  const Policy& policy, const Evidence& evidence,
                                  const std::optional<DiskUsage>& disk, const ImageRemover& remover,
                                  Execution& execution, const Hooks& hooks) const;
  // Remembers it for this run and the next ones.
  void Remember(const Outcome& outcome, const ImageId& id);
  std::string ReasonToEnd(const Policy& policy, const std::stop_token& stop,
                          const Hooks& hooks) const;
  std::optional<std::string> ReasonToSkip(const Decision& decision, const Image& image,
                                          const Policy& policy,
                                          const std::optional<DiskUsage>& disk) const;

  Filesystem& filesystem_;
  Rechecker rechecker_;
  const Clock& clock_;
  RemovalBackoff backoff_;
  // Of the last Run.
  SteadyTime begun_;
  int failures_ = 0;
};

}  // namespace imagesweep
