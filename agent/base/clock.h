#pragma once

#include <chrono>
#include <stop_token>
#include <string>

namespace imagesweep {

using Millis = std::chrono::milliseconds;
using SystemTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;

// Injected time: a wall clock, a monotonic clock, and waiting, so that a test can let an hour pass
// at once.  Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  // The wall clock, for reports.  It may jump, so no decision depends on it alone.
  virtual SystemTime Now() const = 0;
  // CLOCK_MONOTONIC, for intervals, timeouts and staleness.  Does not run during suspend.  The same
  // for all processes of one boot.
  virtual SteadyTime Steady() const = 0;
  // Waits.  Returns true after the time, and false if `stop` was requested first.
  virtual bool Sleep(Millis time, const std::stop_token& stop) const = 0;
};

class RealClock final : public Clock {
 public:
  SystemTime Now() const override;
  SteadyTime Steady() const override;
  bool Sleep(Millis time, const std::stop_token& stop) const override;
};

// The kernel's random ID of this boot (/proc/sys/kernel/random/boot_id).  Steady times of different
// boots cannot be compared.  Empty if it cannot be read.
std::string ReadBootId();

// RFC 3339 in UTC with milliseconds: "2026-09-14T09:12:03.114Z".
std::string FormatTime(SystemTime time);

}  // namespace imagesweep
