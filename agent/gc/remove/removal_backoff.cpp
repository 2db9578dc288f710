#include "agent/gc/remove/removal_backoff.h"

#include <algorithm>
#include <utility>

#include "agent/base/duration.h"

namespace imagesweep {
namespace {

constexpr Millis kFirst = std::chrono::minutes(10);
constexpr Millis kLimit = std::chrono::hours(6);

}  // namespace

void RemovalBackoff::Failed(const ImageId& id, std::string why, SteadyTime now) {
  Entry& entry = entries_[id];
  entry.wait = std::clamp(entry.wait * 2, kFirst, kLimit);
  entry.until = now + entry.wait;
  entry.why = std::move(why);
  entry.lost = false;
}

void RemovalBackoff::Lost(const ImageId& id, std::string why, SteadyTime now) {
  Entry& entry = entries_[id];
  if (entry.lost) return Failed(id, std::move(why), now);
  entry.until = now;
  entry.why = std::move(why);
  entry.lost = true;
}

std::string RemovalBackoff::WhyNot(const ImageId& id, SteadyTime now) const {
  const auto it = entries_.find(id);
  if (it == entries_.end() || now >= it->second.until) return {};
  const auto left = std::chrono::duration_cast<Millis>(it->second.until - now);
  return it->second.why + "; next attempt in " + HumanDuration(left);
}

}  // namespace imagesweep
