#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/model/ports.h"
#include "agent/model/report.h"

namespace imagesweep {

// Ends a run of ensure-space when enough space is available.  Measures the disk before each
// removal, because a prediction may be wrong.  A dry run has only the prediction.
// One thread.
class FreeSpaceMonitor {
 public:
  // All arguments must outlive it.
  FreeSpaceMonitor(const Plan& plan, const Observation& seen, bool dry_run, Filesystem& filesystem,
                   const Clock& clock);

  void Note(const Outcome& outcome);
  // Empty: continue.
  std::string ReasonToEnd(const std::stop_token& stop);

 private:
  const Plan& plan_;
  const Observation& seen_;
  const bool dry_run_;
  Filesystem& filesystem_;
  const Clock& clock_;
  std::uint64_t would_free_ = 0;
  bool removed_ = false;  // since the last measurement
};

}  // namespace imagesweep
