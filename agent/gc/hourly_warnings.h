#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "agent/base/clock.h"

namespace imagesweep {

// Limits warnings about a lasting problem to one per hour, for example about a state directory that
// cannot be used.  One thread at a time.
class HourlyWarnings {
 public:
  // Removes the warnings about lasting problems that were reported within the last hour.  The
  // others count as reported now.
  void DropReported(std::vector<std::string>& warnings, SteadyTime now) {
    std::erase_if(reported_, [now](const auto& one) { return now - one.second >= kPause; });
    std::erase_if(warnings, [&](const std::string& text) {
      return Lasts(text) && !reported_.try_emplace(text, now).second;
    });
  }

 private:
  static constexpr std::chrono::hours kPause{1};
  static bool Lasts(const std::string& text) {
    return text.starts_with("state: ") || text.starts_with("history: ") ||
           text.starts_with("ages: ");
  }
  std::map<std::string, SteadyTime> reported_;
};

}  // namespace imagesweep
