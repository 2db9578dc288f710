#include "agent/telemetry/metrics_series.h"

#include <cstdint>
#include <limits>

namespace imagesweep {

std::vector<ProcessSeries> ProcessSeriesOf(const ProcessUsage& usage) {
  const auto number = [](std::uint64_t count) { return static_cast<double>(count); };
  return {
      {"process_cpu_seconds_total", "User and system CPU time of the agent.", usage.cpu_seconds,
       /*counts=*/true},
      {"process_resident_memory_bytes", "Resident memory of the agent.",
       number(usage.resident_bytes)},
      {"process_virtual_memory_bytes", "Virtual memory of the agent.", number(usage.virtual_bytes)},
      {"process_open_fds", "Open file descriptors of the agent.", number(usage.open_files)},
      {"process_max_fds", "Maximum number of file descriptors that the agent may open.",
       usage.max_files ? number(*usage.max_files) : std::numeric_limits<double>::infinity()},
      {"process_start_time_seconds", "Unix time at which the agent was started.",
       usage.start_time_seconds},
  };
}

}  // namespace imagesweep
