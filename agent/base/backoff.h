#pragma once

#include <cstdint>
#include <random>

#include "agent/base/clock.h"

namespace imagesweep {

// Exponential back-off with jitter: a restarted API server must not meet the whole fleet at once.
// The wait is drawn from [ceiling/2, ceiling]; the ceiling doubles from `first` up to `limit`.
// Not for several threads at once.
class Backoff {
 public:
  Backoff(Millis first, Millis limit, std::uint64_t seed);

  // The next wait.  `at_least` is a floor that the other side asked for (Retry-After); jitter comes
  // on top of it, never below.
  Millis Next(Millis at_least = Millis::zero());
  void Reset();

 private:
  Millis first_, limit_, ceiling_;
  std::mt19937_64 random_;
};

}  // namespace imagesweep
