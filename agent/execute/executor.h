#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/execute/last_look.h"
#include "agent/execute/removal_backoff.h"
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
};

// Carries out a plan: in its order, one at a time, each after a last look that is at most 50 ms
// old, with pauses, until the first of: all done, failures used up, a source lost, told to stop.  A
// removal in hand when told to stop is finished (for up to 8 s), no other is started. Remembers
// failed images between runs.  Not for several threads.
class Executor {
 public:
  Executor(RuntimeReader& runtime, PodReader* pods, Filesystem& filesystem,
           const Expectations& expected, const Clock& clock)
      : runtime_(runtime),
        filesystem_(filesystem),
        look_(runtime, pods, expected, clock),
        clock_(clock) {}

  struct Hooks {
    // Told before an image is looked at for the last time; its outcome follows.
    std::function<void(std::uint32_t at)> before_removal;
    // Told of what will be tried, once, before the first.
    std::function<void(const Plan& plan, const Observation& seen)> on_begin;
    // Told of each outcome as it comes.
    std::function<void(const Outcome&, const Image&)> on_outcome;
    // Asked before each removal: why the batch is to end here; empty to go on.
    std::function<std::string()> reason_to_end;
  };

  // `disk`: its use when the plan was made; what goes for space is spared once the policy's marks
  // are reached.  Empty: what goes for space goes without that question.
  Execution Run(const Plan& plan, const Policy& policy, const Evidence& evidence,
                const ImageIndex& index, const std::optional<DiskUsage>& disk,
                ImageRemover& remover, const std::stop_token& stop, const Hooks& hooks);

  // After the run: what the runtime still lists was not removed, whatever it said.
  void Verify(const Evidence& evidence, const std::vector<Image>& listed_after,
              std::vector<Outcome>& outcomes);

 private:
  struct Attempt {
    Outcome outcome;
    std::optional<Refusal> refused;
    std::optional<double> window_seconds;
  };
  Attempt TryOne(const Image& image, std::uint32_t at, const Evidence& evidence,
                 const ImageIndex& index, ImageRemover& remover, const std::stop_token& stop);
  std::string ReasonToEnd(const Policy& policy, int failures, SteadyTime begun,
                          const std::stop_token& stop, const Hooks& hooks) const;
  std::optional<std::string> ReasonToSkip(const Decision& decision, const Image& image,
                                          const Policy& policy,
                                          const std::optional<DiskUsage>& disk) const;

  RuntimeReader& runtime_;
  Filesystem& filesystem_;
  LastLook look_;
  const Clock& clock_;
  RemovalBackoff backoff_;
};

}  // namespace imagesweep
