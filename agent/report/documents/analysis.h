#pragma once

#include <span>
#include <string>

#include "agent/model/analysis.h"
#include "agent/model/report.h"
#include "agent/report/documents/short_names.h"
#include "agent/report/render/page.h"

namespace imagesweep {

// Images in use, idle images, and the cleanup options side by side, as a page and as JSON.
Page MakeAnalysisPage(const Report& report, const Analysis& analysis,
                      const ShortNames& names = ShortNames::Full());
std::string AnalysisJson(const Report& report, const Analysis& analysis);  // kind Analysis

// The verdicts that another policy would change for the observation of `report`.
Page MakeDifferencePage(const Report& report, const Plan& then, const std::string& other,
                        std::span<const VerdictChange> changes,
                        const ShortNames& names = ShortNames::Full());
std::string DifferenceJson(const Report& report, const Plan& then, const std::string& other,
                           std::span<const VerdictChange> changes);  // kind PlanDifference

}  // namespace imagesweep
