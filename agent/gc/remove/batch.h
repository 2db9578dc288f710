#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "agent/gc/remove/rechecker.h"
#include "agent/model/ports.h"
#include "agent/model/report.h"

namespace imagesweep {

// The result of one batch.
struct BatchResult {
  std::vector<Outcome> outcomes;   // one for each image, in the order of their results
  std::optional<Refusal> refused;  // a source could not be read: nothing more was removed
  std::string stopped_early;       // why some were not tried; empty: all were
  bool out_of_failures = false;    // some were not tried because too many failed
  std::vector<double> recheck_window_seconds;
};

// Removes a few images, several at the same time.  Rechecks all of them together, and again before
// each step that cannot be undone, unless the last recheck requested its containers less than 50 ms
// ago.  An image that any recheck finds in use stays.
class Batch {
 public:
  // `reason_to_end`: called before the removals: why the run must end.  Empty: continue.
  Batch(Rechecker& rechecker, const Evidence& evidence, const ImageIndex& index,
        ImageRemover& remover, const Clock& clock, std::function<std::string()> reason_to_end)
      : rechecker_(rechecker),
        evidence_(evidence),
        index_(index),
        remover_(remover),
        clock_(clock),
        reason_to_end_(std::move(reason_to_end)) {}

  // `images`: positions in evidence.images.  Starts no removal after `may_fail` failures.  Finishes
  // a removal in progress when `stop` is requested, unless `cancel` is requested too.
  BatchResult Run(std::vector<ImagePos> images, int may_fail, const std::stop_token& stop,
                  const std::stop_token& cancel);

 private:
  class Guard;

  // Deletes from `images` those that must stay, or all if no image can be removed now.
  void Begin(std::vector<ImagePos>& images, const std::stop_token& stop);
  // Removes as many of `images` as possible.  The rest must begin again.
  void RemoveAll(std::vector<ImagePos>& images, int may_fail, const std::stop_token& stop,
                 const std::stop_token& cancel);
  void Record(ImagePos at, OutcomeKind kind, std::string detail = {});
  void SkipAll(std::vector<ImagePos>& left, const std::string& why);
  int Failures() const;

  // While removals run, several threads call Record, Failures, and the following functions.  They
  // hold `mu_`.
  using Lock = std::unique_lock<std::mutex>;
  // Rechecks unless the last recheck is recent enough.  Returns the reason against the next step of
  // `at`.  An empty text allows the step, and `age` is then the age of the recheck.
  std::string WhyNot(Lock& lock, ImagePos at, Millis& age, const std::stop_token& stop);
  void Recheck(Lock& lock, const std::stop_token& stop);
  void ApplyRecheck(const std::vector<ImagePos>& images, RecheckAnswer result);
  // Why no more images of this batch can be removed.  Empty: they can.
  std::string WhyEnded() const;
  void Record(ImagePos at, const Result<Removal>& answer);
  Millis Age() const;

  Rechecker& rechecker_;
  const Evidence& evidence_;
  const ImageIndex& index_;
  ImageRemover& remover_;
  const Clock& clock_;
  const std::function<std::string()> reason_to_end_;
  BatchResult result_;
  bool single_image_ = false;  // the batch began with one image
  SteadyTime began_;

  std::mutex mu_;
  std::condition_variable rechecked_;
  bool rechecking_ = false;  // a thread is rechecking
  // Several removals run in parallel: recheck at half of the maximum age, before a thread waits.
  bool recheck_early_ = false;
  std::vector<ImagePos> pending_;  // not begun
  std::set<ImagePos> in_progress_;
  std::vector<ImagePos> retry_;  // must begin again
  // The time when the last recheck requested the containers.  Empty: there was none.
  std::optional<SteadyTime> requested_at_;
  std::map<ImagePos, std::string> skipped_;  // reasons from rechecks, by image
  std::string too_late_;                     // why rechecks are stale
  int late_ = 0;                             // number of stale rechecks in a row
  SteadyTime late_since_;                    // time of the first of them
  bool records_changed_ = false;             // the batch must begin again
};

}  // namespace imagesweep
