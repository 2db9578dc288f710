#pragma once

#include <containerd/types.pb.h>

#include <algorithm>

#include "agent/base/clock.h"

namespace imagesweep::containerd {

// Go's zero time is in the year 1, which a SystemTime cannot represent. Such times become the first
// or the last SystemTime.
inline SystemTime TimeOf(const ::containerd::types::Timestamp& time) {
  using std::chrono::seconds;
  constexpr auto kFirst = std::chrono::ceil<seconds>(SystemTime::min()).time_since_epoch();
  constexpr auto kLast = std::chrono::floor<seconds>(SystemTime::max()).time_since_epoch();
  // The last whole second has no room for a fraction.
  const seconds whole = std::clamp(seconds(time.seconds()), kFirst, kLast - seconds(1));
  const std::chrono::nanoseconds part(std::clamp(time.nanos(), 0, 999'999'999));
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(whole + part));
}

}  // namespace imagesweep::containerd
