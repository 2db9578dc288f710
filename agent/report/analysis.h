#pragma once

#include <span>
#include <string>

#include "agent/model/analysis.h"
#include "agent/model/report.h"
#include "agent/report/page.h"

namespace imagesweep {

// Who needs what, what is idle, and the options side by side; for people and for programs.
Page MakeAnalysisPage(const Report& report, const Analysis& analysis);
std::string AnalysisJson(const Report& report, const Analysis& analysis);  // kind Analysis

// What another policy would do differently to what `report` saw.
Page MakeDifferencePage(const Report& report, const Plan& then, const std::string& other,
                        std::span<const VerdictChange> changes);
std::string DifferenceJson(const Report& report, const Plan& then, const std::string& other,
                           std::span<const VerdictChange> changes);  // kind PlanDifference

}  // namespace imagesweep
