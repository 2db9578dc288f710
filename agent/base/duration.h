#pragma once

#include <string>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep {

// Go's duration syntax plus d (24 h) and w (7 d): "15m", "1h30m", "7d", "1.5h", "0s", "0".
// kInvalid for anything else, for a sign, and for more than 100 years.
Result<Millis> ParseDuration(std::string_view text);

// The shortest exact text that ParseDuration reads back: "336h", "1h30m", "200ms", "0s".
std::string FormatDuration(Millis duration);

// For tables, as kubectl prints ages, with at most two units: "42s", "5m30s", "3h", "12d".
std::string HumanDuration(Millis duration);

}  // namespace imagesweep
