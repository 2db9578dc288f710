#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/model/ports.h"
#include "agent/model/report.h"

namespace imagesweep {

// During a run that makes room: says when there is enough.  The disk itself is asked before each
// removal, since the runtime's sizes are not what comes free; in a dry run they are all there is.
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
  std::uint64_t freed_ = 0;  // by the runtime's sizes
  bool removed_ = false;     // since the disk was asked last
};

}  // namespace imagesweep
