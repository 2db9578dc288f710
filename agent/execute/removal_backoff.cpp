#include "agent/execute/removal_backoff.h"

#include <algorithm>

namespace imagesweep {
namespace {

constexpr Millis kFirst = std::chrono::minutes(10);
constexpr Millis kLimit = std::chrono::hours(6);

}  // namespace

void RemovalBackoff::Failed(const ImageId& id, SteadyTime now) {
  const auto it = entries_.find(id);
  const Millis wait = it == entries_.end() ? kFirst : std::min(it->second.wait * 2, kLimit);
  entries_[id] = {wait, now + wait};
}

void RemovalBackoff::InUse(const ImageId& id, SteadyTime now) {
  Failed(id, now);
  entries_[id].in_use = true;
}

bool RemovalBackoff::IsInUse(const ImageId& id) const {
  const auto it = entries_.find(id);
  return it != entries_.end() && it->second.in_use;
}

std::optional<Millis> RemovalBackoff::Wait(const ImageId& id, SteadyTime now) const {
  const auto it = entries_.find(id);
  if (it == entries_.end() || now >= it->second.until) return std::nullopt;
  return std::chrono::duration_cast<Millis>(it->second.until - now);
}

}  // namespace imagesweep
