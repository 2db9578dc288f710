#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "agent/model/report.h"
#include "agent/model/run_entry.h"
#include "agent/report/documents/json.h"

namespace imagesweep {

struct TextOptions {
  bool wide = false;
  bool with_header = true;  // false: only the rows
  std::size_t width = 0;    // of the terminal, which tables must fit; 0: no limit
};

// For a terminal.  Each ends with a newline.
std::string ImagesText(const Report& report, const TextOptions& options);
std::string PlanText(const Report& report, const TextOptions& options);
std::string SweepText(const Report& report, const TextOptions& options);
std::string ExplanationText(const Report& report, ImagePos image,
                            std::span<const ExplainedStep> steps,
                            const std::string& what_would_change_it);

// Below a table with the rows "Reclaimable", see IsReclaimable, and disk usage.
inline constexpr const char* kReclaimableMeans =
    "Reclaimable: images that nothing needs and no rule keeps, by the runtime's sizes, which "
    "ignore shared layers. Disk used: all space that is not available, as the kubelet counts it.";

// "Removed 3 images (…) of 5": one line, for the end of a run.
std::string Summary(const Report& report);
// The entry of the run in the history, without the document.
RunEntry RunEntryOf(const Report& report);
// "cannot read pods": why a run aborted, by Refusal::source.
std::string CannotRead(std::string_view source);

}  // namespace imagesweep
