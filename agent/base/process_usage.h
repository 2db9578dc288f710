#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "agent/base/result.h"

namespace imagesweep {

// The resource usage of this process, as the kernel counts it.  Source: proc(5).
struct ProcessUsage {
  double cpu_seconds = 0;            // user and system, of all threads
  double start_time_seconds = 0;     // Unix time
  std::uint64_t resident_bytes = 0;  // VmRSS
  std::uint64_t virtual_bytes = 0;   // VmSize
  std::uint64_t open_files = 0;
  std::optional<std::uint64_t> max_files;  // the soft limit; empty: none
};

// Reads `proc`, which is /proc except in tests.  Any thread.  kUnavailable if a file cannot be
// read, kInvalid if its format is unknown.
Result<ProcessUsage> ReadProcessUsage(const std::filesystem::path& proc = "/proc");

}  // namespace imagesweep
