#pragma once

#include <optional>
#include <span>
#include <string>

#include "agent/model/report.h"

namespace imagesweep {

// One step of an explanation.
struct ExplainedStep {
  std::string code;
  bool applies = false;
  bool decides = false;
  std::string evidence;
};

// JSON documents of apiVersion imagesweep/v1alpha1, stable within that version.  Two-space
// indentation, no trailing newline; bytes that are not UTF-8 are replaced.
std::string ImagesJson(const Report& report);  // kind ImageList
std::string PlanJson(const Report& report);    // kind SweepPlan
std::string SweepJson(const Report& report);   // kind SweepReport
std::string ExplanationJson(const Report& report, ImagePos image,
                            std::span<const ExplainedStep> steps,
                            const std::string& what_would_change_it,
                            std::optional<SystemTime> goes_at);  // kind ImageExplanation

}  // namespace imagesweep
