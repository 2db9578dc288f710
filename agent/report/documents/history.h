#pragma once

#include <span>
#include <string>

#include "agent/model/run_entry.h"
#include "agent/report/documents/text.h"

namespace imagesweep {

// The recorded runs, newest first.
std::string HistoryJson(std::span<const RunEntry> runs);  // kind RunList
std::string HistoryText(std::span<const RunEntry> runs, const TextOptions& options);

}  // namespace imagesweep
