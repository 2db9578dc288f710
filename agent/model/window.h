#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"

namespace imagesweep {

// Days in the order of ISO 8601.
enum class Weekday { kMonday, kTuesday, kWednesday, kThursday, kFriday, kSaturday, kSunday };

// A part of the week in which removal is allowed, in the local time of its time zone.  A window
// that ends at or before its start ends on the next day, which does not need to be one of its days.
// An hour that daylight saving skips is in no window.  An hour that it repeats is in the window
// twice.
struct Window {
  std::vector<Weekday> days;  // the days on which it starts; empty: every day
  std::chrono::minutes start{0};
  std::chrono::minutes end{0};    // up to 24:00; exclusive
  std::string time_zone = "UTC";  // a name of the IANA time zone database

  friend bool operator==(const Window&, const Window&) = default;
};

// True if this machine's time zone database has the name.
bool IsTimeZone(std::string_view name);

// Also false if the time zone is unknown.
bool Contains(const Window& window, SystemTime at);
// True if there are no windows.
bool AnyContains(std::span<const Window> windows, SystemTime at);

// The first full minute from `at` that is in a window.  Empty: there is none within 8 days.
std::optional<SystemTime> NextOpening(std::span<const Window> windows, SystemTime at);

}  // namespace imagesweep
