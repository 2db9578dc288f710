#include "agent/model/window.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>

namespace imagesweep {
namespace {

// absl also counts from Monday (civil_time.h).
Weekday DayOf(absl::CivilDay day) {
  return static_cast<Weekday>(absl::GetWeekday(day));
}

bool StartsOn(const Window& window, absl::CivilDay day) {
  return window.days.empty() || std::ranges::count(window.days, DayOf(day)) > 0;
}

}  // namespace

bool IsTimeZone(std::string_view name) {
  absl::TimeZone zone;
  // "localtime" and "libc:…" are names of absl and depend on the machine.
  return !name.empty() && !name.starts_with("libc:") && name != "localtime" &&
         absl::LoadTimeZone(std::string(name), &zone);
}

bool Contains(const Window& window, SystemTime at) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(window.time_zone, &zone)) return false;
  const absl::CivilSecond local = zone.At(absl::FromChrono(at)).cs;
  const std::chrono::minutes minute{local.hour() * 60 + local.minute()};
  const absl::CivilDay today(local);
  if (window.start < window.end)
    return StartsOn(window, today) && minute >= window.start && minute < window.end;
  return (StartsOn(window, today) && minute >= window.start) ||
         (StartsOn(window, today - 1) && minute < window.end);
}

bool AnyContains(std::span<const Window> windows, SystemTime at) {
  return windows.empty() ||
         std::ranges::any_of(windows, [&](const Window& window) { return Contains(window, at); });
}

std::optional<SystemTime> NextOpening(std::span<const Window> windows, SystemTime at) {
  const auto last = at + std::chrono::days(8);
  if (AnyContains(windows, at)) return at;
  for (auto minute = std::chrono::ceil<std::chrono::minutes>(at); minute <= last;
       minute += std::chrono::minutes(1))
    if (AnyContains(windows, minute)) return minute;
  return std::nullopt;
}

}  // namespace imagesweep
