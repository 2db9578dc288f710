#pragma once

#include <span>
#include <string>

#include "agent/model/report.h"
#include "agent/report/json.h"

namespace imagesweep {

struct TextOptions {
  bool wide = false;
  bool with_header = true;  // false: the rows and nothing else
};

// The people's view, for a terminal.  Each ends with a newline.
std::string ImagesText(const Report& report, const TextOptions& options);
std::string PlanText(const Report& report, const TextOptions& options);
std::string SweepText(const Report& report, const TextOptions& options);
std::string ExplanationText(const Report& report, std::uint32_t image,
                            std::span<const ExplainedStep> steps,
                            const std::string& what_would_change_it);

// Below a table with the rows "Reclaimable", see IsReclaimable, and disk use.
inline constexpr const char* kReclaimableMeans =
    "Reclaimable: images that nothing needs and no rule keeps, by the runtime's sizes, which know "
    "nothing of shared layers. Used on the disk: all that is not available, as the kubelet counts.";

// "removed 3 images, 2 kept …": one line, for the end of a run.
std::string Summary(const Report& report);

}  // namespace imagesweep
