#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/execute/last_look.h"
#include "agent/execute/removal_backoff.h"
#include "agent/execute/untag.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"
#include "agent/model/ports.h"
#include "agent/model/report.h"

namespace imagesweep {

// What carrying out a plan came to.
struct Execution {
  std::vector<Outcome> outcomes;   // in the order tried
  std::optional<Refusal> refused;  // a source was lost on the way: nothing more was removed
  std::string stopped_early;       // why not all were tried; empty when all were
  std::vector<double> recheck_window_seconds;
  std::optional<double> seconds;  // from the first batch until the space was free; empty: no batch
};

// Carries out a plan: in its order, in batches as large as the remover wants them, each image
// within 50 ms of asking who uses it, with pauses between batches, until the first of: all done,
// failures used up, a source lost, told to stop.  Remembers failed images between runs.  Not for
// several threads.
class Executor {
 public:
  Executor(RuntimeReader& runtime, PodReader* pods, WorkloadReader* workloads,
           Filesystem& filesystem, const Expectations& expected, const Clock& clock)
      : filesystem_(filesystem), look_(runtime, pods, workloads, expected, clock), clock_(clock) {}

  struct Hooks {
    // Told of the images of a batch before they are rechecked, and of what became of each.
    std::function<void(const std::vector<std::uint32_t>& images)> before_batch;
    std::function<void(const std::vector<Outcome>& outcomes)> after_batch;
    // Told of what will be tried, once, before the first.
    std::function<void(const Plan& plan, const Observation& seen)> on_begin;
    // Told of each outcome as it comes.
    std::function<void(const Outcome&, const Image&)> on_outcome;
    // Asked before each batch: why the run is to end here; empty to go on.
    std::function<std::string()> reason_to_end;
  };

  // `disk`: its use when the plan was made; what goes for space is spared once the policy's marks
  // are reached.  Empty: what goes for space goes without that question.
  Execution Run(const Plan& plan, const Policy& policy, const Evidence& evidence,
                const ImageIndex& index, const std::optional<DiskUsage>& disk,
                ImageRemover& remover, const std::stop_token& stop, const Hooks& hooks);

  // After it, unless it was refused or stopped early: drops the plan's names.
  Untagging DropNames(const Plan& plan, const Policy& policy, const Evidence& evidence,
                      const ImageIndex& index, NameRemover* remover, const std::stop_token& stop,
                      const Hooks& hooks);

  // After the run: what the runtime still lists was not removed, whatever it said; what it does not
  // list is gone, though the call failed.
  void Verify(const Evidence& evidence, const std::vector<Image>& listed_after,
              std::vector<Outcome>& outcomes);

 private:
  std::vector<std::uint32_t> NextBatch(std::span<const std::uint32_t>& rest, const Plan& plan,
                                       const Policy& policy, const Evidence& evidence,
                                       const std::optional<DiskUsage>& disk,
                                       const ImageRemover& remover, Execution& execution,
                                       const Hooks& hooks) const;
  std::string ReasonToEnd(const Policy& policy, const std::stop_token& stop,
                          const Hooks& hooks) const;
  std::optional<std::string> ReasonToSkip(const Decision& decision, const Image& image,
                                          const Policy& policy,
                                          const std::optional<DiskUsage>& disk) const;

  Filesystem& filesystem_;
  LastLook look_;
  const Clock& clock_;
  RemovalBackoff backoff_;
  // Of the last Run.
  SteadyTime begun_;
  int failures_ = 0;
};

}  // namespace imagesweep
