#pragma once

#include <span>
#include <utility>
#include <vector>

#include "agent/state/ledger.h"

namespace imagesweep {

// A ledger whose next look counts no time when the one who watches the uses of images may have
// missed one since the look before.  As the ledger it stands for; one thread at a time.
class WatchedLedger final : public Ledger {
 public:
  explicit WatchedLedger(Ledger& real) : real_(real) {}

  void MayHaveMissedUses() { missed_ = true; }

  void LimitGaps(Millis longest) override { longest_ = longest; }
  std::vector<ImageAge> Observe(std::span<const Image> images,
                                const std::vector<bool>& in_use) override {
    real_.LimitGaps(std::exchange(missed_, false) ? Millis::zero() : longest_);
    return real_.Observe(images, in_use);
  }
  std::vector<int> CountCandidates(std::span<const Image> images,
                                   const std::vector<bool>& candidate) override {
    return real_.CountCandidates(images, candidate);
  }
  void Forget(const std::vector<ImageId>& ids) override { real_.Forget(ids); }
  std::vector<std::string> warnings() const override { return real_.warnings(); }
  bool durable() const override { return real_.durable(); }

 private:
  Ledger& real_;
  Millis longest_ = std::chrono::hours(24);
  bool missed_ = false;
};

}  // namespace imagesweep
