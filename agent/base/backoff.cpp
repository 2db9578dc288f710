#include "agent/base/backoff.h"

#include <algorithm>

namespace imagesweep {

Backoff::Backoff(Millis first, Millis limit, std::uint64_t seed)
    : first_(first), limit_(limit), ceiling_(first), random_(seed) {}

Millis Backoff::Next(Millis at_least) {
  const auto ceiling = ceiling_.count();
  ceiling_ = std::min(ceiling_ * 2, limit_);
  const Millis drawn(std::uniform_int_distribution<std::int64_t>(ceiling / 2, ceiling)(random_));
  return drawn >= at_least ? drawn : at_least + drawn;
}

void Backoff::Reset() {
  ceiling_ = first_;
}

}  // namespace imagesweep
