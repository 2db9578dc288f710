#pragma once

#include <atomic>

#include "agent/base/clock.h"

namespace imagesweep {

// The time changes only by a call, or when a thread sleeps on it: an hour of back-off takes no
// time.
class FakeClock final : public Clock {
 public:
  SystemTime Now() const override { return SystemTime(elapsed() + wall_shift_.load()); }
  SteadyTime Steady() const override { return SteadyTime(elapsed()); }
  bool Sleep(Millis time, const std::stop_token& stop) const override {
    if (stop.stop_requested()) return false;
    Advance(time);
    return !stop.stop_requested();
  }
  void Advance(Millis by) const { elapsed_ += by.count(); }
  // Sets the wall clock, but not the monotonic one.
  void JumpWallClock(Millis by) { wall_shift_ = wall_shift_.load() + by; }

 private:
  Millis elapsed() const { return Millis(elapsed_.load()); }
  mutable std::atomic<Millis::rep> elapsed_{1'700'000'000'000};
  std::atomic<Millis> wall_shift_{Millis(0)};
};

}  // namespace imagesweep
