#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"

namespace imagesweep {

// Days as ISO 8601 counts them.
enum class Weekday { kMonday, kTuesday, kWednesday, kThursday, kFriday, kSaturday, kSunday };

// A part of the week in which removal is allowed, by the clock on the wall of its time zone.  One
// that ends at or before its start ends on the next day, which needs not be among its days.  An
// hour that daylight saving leaves out is in no window, one that it repeats is in it twice.
struct Window {
  std::vector<Weekday> days;  // on which it starts; empty: every day
  std::chrono::minutes start{0};
  std::chrono::minutes end{0};    // up to 24:00; exclusive
  std::string time_zone = "UTC";  // a name of the IANA time zone database

  friend bool operator==(const Window&, const Window&) = default;
};

// Does this machine's time zone database have it?
bool IsTimeZone(std::string_view name);

// False also when the time zone is not known: then nobody can say.
bool Contains(const Window& window, SystemTime at);
// True without any window.
bool AnyContains(std::span<const Window> windows, SystemTime at);

// The first full minute from `at` on that is in a window; empty when there is none within 8 days.
std::optional<SystemTime> NextOpening(std::span<const Window> windows, SystemTime at);

}  // namespace imagesweep
