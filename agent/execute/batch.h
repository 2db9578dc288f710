#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
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
  std::set<std::uint32_t> in_use_elsewhere;  // spared, since the runtime refused them
  std::vector<double> recheck_window_seconds;
};

// Removes a few images, several at the same time: all of them are rechecked together, and before
// each step that cannot be undone once more, unless the last recheck asked for its containers less
// than 50 ms ago.  What any recheck found in use stays.
class Batch {
 public:
  // `reason_to_end`: asked before the images go why nothing more is to go; empty: go on.
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
  class Guard;

  // Takes out of `images` those that may not go; all, when now is no time.
  void Begin(std::vector<std::uint32_t>& images, const std::stop_token& stop);
  // Removes what it can of `images`; what is left of them is to begin again.
  void RemoveAll(std::vector<std::uint32_t>& images, int may_fail, const std::stop_token& stop,
                 const std::stop_token& cancel);
  void Settle(std::uint32_t at, OutcomeKind kind, std::string detail = {});
  void SpareAll(std::vector<std::uint32_t>& left, const std::string& why);
  int Failures() const;

  // The rest is used by several threads at once, with `mu_` held.
  using Lock = std::unique_lock<std::mutex>;
  // Rechecks unless that has just been done.  Empty: `at` may go, and the recheck is so old.
  std::string WhyNot(Lock& lock, std::uint32_t at, Millis& age, const std::stop_token& stop);
  void Recheck(Lock& lock, const std::stop_token& stop);
  void Learn(const std::vector<std::uint32_t>& images, LookResult result);
  // Why nothing more of this batch may go; empty: it may.
  std::string WhyEnded() const;
  void Settle(std::uint32_t at, const Result<Removal>& answer);
  Millis Age() const;

  LastLook& look_;
  const Evidence& evidence_;
  const ImageIndex& index_;
  ImageRemover& remover_;
  const Clock& clock_;
  const std::function<std::string()> reason_to_end_;
  BatchResult result_;
  bool alone_ = false;  // the batch began with one image, and the remover knew it
  SteadyTime began_;

  std::mutex mu_;
  std::condition_variable rechecked_;
  bool rechecking_ = false;           // a thread is
  bool ahead_ = false;                // several are on their way: recheck before it is due
  std::vector<std::uint32_t> left_;   // not begun
  std::set<std::uint32_t> in_hand_;   // begun
  std::vector<std::uint32_t> again_;  // begun, and to begin again
  std::optional<SteadyTime> asked_;   // for the containers of the last recheck; empty: none
  std::map<std::uint32_t, std::string> spared_;  // what rechecks found, by image
  std::string too_late_;                         // rechecks came too late, and why
  int late_ = 0;                                 // so many in a row,
  SteadyTime late_since_;                        // since then
  bool records_changed_ = false;                 // the batch has to begin again
};

}  // namespace imagesweep
