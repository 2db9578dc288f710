#include "agent/gc/run_id.h"

#include <cstdio>

#include "agent/base/random_seed.h"

namespace imagesweep {

std::string NewRunId(SystemTime now) {
  const auto millis = std::chrono::floor<Millis>(now.time_since_epoch()).count();
  char text[32];
  std::snprintf(text, sizeof text, "%012llx%08llx", static_cast<unsigned long long>(millis),
                static_cast<unsigned long long>(RandomSeed() & 0xFFFFFFFF));
  return text;
}

}  // namespace imagesweep
