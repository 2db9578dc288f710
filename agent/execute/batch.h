#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "agent/execute/last_look.h"
#include "agent/model/ports.h"
#include "agent/model/report.h"

namespace imagesweep {

// What one batch came to.
struct BatchResult {
  std::vector<Outcome> outcomes;   // one for each image, in the order in which they were settled
  std::optional<Refusal> refused;  // a source was lost: nothing more was removed
  std::string stopped_early;       // why some were not tried; empty when all were
  bool out_of_failures = false;    // so some were not tried
  std::vector<double> recheck_window_seconds;
};

// Removes a few images: one last look at all of them, then each of them within 50 ms of that look,
// or of another one.  Where several are on their way at once, one thread looks again before the
// time is over.
class Batch {
 public:
  // `reason_to_end`: asked before each look is acted on why nothing more is to go; empty: go on.
  Batch(LastLook& look, const Evidence& evidence, const ImageIndex& index, ImageRemover& remover,
        const Clock& clock, std::function<std::string()> reason_to_end)
      : look_(look),
        evidence_(evidence),
        index_(index),
        remover_(remover),
        clock_(clock),
        reason_to_end_(std::move(reason_to_end)) {}

  // `images`: positions in evidence.images.  Starts no removal once `may_fail` have failed.  A
  // removal in hand when told to stop is finished, unless `cancel` says so too.
  BatchResult Run(std::vector<std::uint32_t> images, int may_fail, const std::stop_token& stop,
                  const std::stop_token& cancel);

 private:
  struct Seen {
    std::vector<std::uint32_t> images;
    LookResult result;  // of those
  };
  // Removes what it can of `left` before the look is too old, and takes it out.  What was seen in
  // another look meanwhile, should there have been one; it was at all that is left, or more.
  std::optional<Seen> RemoveWhileFresh(SteadyTime looked_at, std::vector<std::uint32_t>& left,
                                       int may_fail, const std::stop_token& stop,
                                       const std::stop_token& cancel);
  Seen Look(std::vector<std::uint32_t> images, const std::stop_token& stop);
  // Whether it may still be acted on.
  bool IsFresh(const Seen& seen) const;
  // Takes out of `images` what `seen` says must stay.
  void Spare(const Seen& seen, std::vector<std::uint32_t>& images);
  // Takes out of `images` those that may not go; all, when now is no time.
  void Begin(std::vector<std::uint32_t>& images, const std::stop_token& stop);
  void Settle(std::uint32_t at, OutcomeKind kind, std::string detail = {});
  void SpareAll(std::vector<std::uint32_t>& left, const std::string& why);
  int Failures() const;

  LastLook& look_;
  const Evidence& evidence_;
  const ImageIndex& index_;
  ImageRemover& remover_;
  const Clock& clock_;
  const std::function<std::string()> reason_to_end_;
  BatchResult result_;
  bool alone_ = false;  // the batch began with one image, and the remover knew it
};

}  // namespace imagesweep
