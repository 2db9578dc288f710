#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/model/ports.h"
#include "agent/model/report.h"

namespace imagesweep {

// During a run that makes room: says when there is enough.  The disk itself is asked before each
// removal, since no prediction is exact; in a dry run the prediction is all there is.
class RoomWatch {
 public:
  RoomWatch(const Report& report, Filesystem& filesystem, const Clock& clock);

  void Note(const Outcome& outcome);
  // Empty: go on.
  std::string ReasonToEnd(const std::stop_token& stop);

 private:
  const Report& report_;
  Filesystem& filesystem_;
  const Clock& clock_;
  std::uint64_t would_free_ = 0;
  bool removed_ = false;  // since the disk was asked last
};

}  // namespace imagesweep
