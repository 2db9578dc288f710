#pragma once

#include <cstdint>
#include <random>

#include "agent/base/clock.h"

namespace imagesweep {

// Exponential back-off with jitter, so that not all nodes call a restarted API server at once.  The
// wait is random in [ceiling/2, ceiling].  The ceiling doubles from `first` up to `limit`.  One
// thread at a time.
class Backoff {
 public:
  Backoff(Millis first, Millis limit, std::uint64_t seed);

  // The next wait.  `at_least` is the minimum that the server demands (Retry-After).  Jitter adds
  // to it.
  Millis Next(Millis at_least = Millis::zero());
  void Reset();

 private:
  Millis first_, limit_, ceiling_;
  std::mt19937_64 random_;
};

}  // namespace imagesweep
