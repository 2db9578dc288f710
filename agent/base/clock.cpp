#include "agent/base/clock.h"

#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <mutex>

namespace imagesweep {

SystemTime RealClock::Now() const {
  return std::chrono::system_clock::now();
}

SteadyTime RealClock::Steady() const {
  return std::chrono::steady_clock::now();
}

bool RealClock::Sleep(Millis time, const std::stop_token& stop) const {
  std::mutex mu;
  std::condition_variable_any woken;
  std::unique_lock lock(mu);
  woken.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

std::string ReadBootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::string FormatTime(SystemTime time) {
  const auto since_epoch = std::chrono::duration_cast<Millis>(time.time_since_epoch());
  auto seconds = static_cast<std::time_t>(since_epoch.count() / 1000);
  auto millis = static_cast<int>(since_epoch.count() % 1000);
  if (millis < 0) {
    millis += 1000;
    --seconds;
  }
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char date[32];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  char text[48];
  std::snprintf(text, sizeof text, "%s.%03dZ", date, millis);
  return text;
}

}  // namespace imagesweep
