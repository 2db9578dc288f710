#include "agent/base/duration.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace imagesweep {
namespace {

struct Unit {
  std::string_view name;
  double millis;
};

// Longest names first, so that "ms" is not read as "m".
constexpr std::array<Unit, 9> kUnits{{{"ms", 1},
                                      {"us", 1e-3},
                                      {"ns", 1e-6},
                                      {"w", 7 * 24 * 3.6e6},
                                      {"d", 24 * 3.6e6},
                                      {"h", 3.6e6},
                                      {"m", 6e4},
                                      {"s", 1e3},
                                      {"\xC2\xB5s", 1e-3}}};
constexpr double kMaxMillis = 100.0 * 366 * 24 * 3.6e6;

Error Bad(std::string_view text) {
  return {ErrorKind::kInvalid,
          "\"" + std::string(text) + "\" is not a duration; write e.g. 30s, 15m, 1h30m, 7d or 2w"};
}

}  // namespace

Result<Millis> ParseDuration(std::string_view text) {
  if (text == "0") return Millis::zero();
  std::string_view rest = text;
  if (rest.empty()) return Bad(text);
  double total = 0;
  while (!rest.empty()) {
    const auto digits = rest.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return Bad(text);
    const std::string number(rest.substr(0, digits));
    char* end = nullptr;
    const double value = std::strtod(number.c_str(), &end);
    if (*end != '\0' || number == ".") return Bad(text);
    rest.remove_prefix(digits);
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {
      if (rest.starts_with(unit.name)) {
        found = &unit;
        break;
      }
    }
    if (found == nullptr) return Bad(text);
    rest.remove_prefix(found->name.size());
    total += value * found->millis;
    if (total > kMaxMillis) {
      return Error{ErrorKind::kInvalid,
                   "\"" + std::string(text) + "\" is longer than 100 years; use 0s to disable it"};
    }
  }
  return Millis(static_cast<std::int64_t>(std::llround(total)));
}

std::string FormatDuration(Millis duration) {
  auto left = duration.count();
  if (left == 0) return "0s";
  std::string text;
  const auto take = [&](std::int64_t unit, const char* name) {
    if (left >= unit) text += std::to_string(left / unit) + name;
    left %= unit;
  };
  take(3'600'000, "h");
  take(60'000, "m");
  take(1'000, "s");
  take(1, "ms");
  return text;
}

std::string HumanDuration(Millis duration) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  const auto seconds = duration.count() / 1000;
  const auto two = [](std::int64_t big, const char* big_name, std::int64_t small,
                      const char* small_name) {
    std::string text = std::to_string(big) + big_name;
    if (small > 0) text += std::to_string(small) + small_name;
    return text;
  };
  if (seconds < 2 * kMinute) return std::to_string(seconds) + "s";
  if (seconds < 10 * kMinute) return two(seconds / kMinute, "m", seconds % kMinute, "s");
  if (seconds < 3 * kHour) return std::to_string(seconds / kMinute) + "m";
  if (seconds < 8 * kHour) return two(seconds / kHour, "h", seconds % kHour / kMinute, "m");
  if (seconds < 2 * kDay) return std::to_string(seconds / kHour) + "h";
  if (seconds < 8 * kDay) return two(seconds / kDay, "d", seconds % kDay / kHour, "h");
  return std::to_string(seconds / kDay) + "d";
}

}  // namespace imagesweep
