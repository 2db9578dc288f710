#pragma once

#include <vector>

#include "agent/base/process_usage.h"

namespace imagesweep {

// One series without labels.
struct ProcessSeries {
  const char* name = "";
  const char* help = "";
  double value = 0;
  bool counts = false;  // a counter, not a gauge
};

// With the names and texts of the official client libraries.
// Source: prometheus.io/docs/instrumenting/writing_clientlibs, "Standard and runtime collectors".
std::vector<ProcessSeries> ProcessSeriesOf(const ProcessUsage& usage);

}  // namespace imagesweep
