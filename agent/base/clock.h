#pragma once

#include <chrono>
#include <stop_token>
#include <string>

namespace imagesweep {

using Millis = std::chrono::milliseconds;
using SystemTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;

// Time as an argument.  Two clocks, because they answer different questions; and waiting goes
// through here too, so that a test can let an hour pass in no time.  Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock: for reports only.  It may jump; no decision rests on it alone.
  virtual SystemTime Now() const = 0;
  // CLOCK_MONOTONIC: for every interval, timeout and staleness.  Does not run while suspended; the
  // same for all processes of one boot.
  virtual SteadyTime Steady() const = 0;
  // Waits.  True when the time passed, false when `stop` came first.
  virtual bool Sleep(Millis time, const std::stop_token& stop) const = 0;
};

class RealClock final : public Clock {
 public:
  SystemTime Now() const override;
  SteadyTime Steady() const override;
  bool Sleep(Millis time, const std::stop_token& stop) const override;
};

// The kernel's random id of this boot (/proc/sys/kernel/random/boot_id); steady times of two
// different boots cannot be compared.  Empty when it cannot be read.
std::string ReadBootId();

// RFC 3339 in UTC with milliseconds: "2026-09-14T09:12:03.114Z".
std::string FormatTime(SystemTime time);

}  // namespace imagesweep
