#pragma once

#include <string>

#include "agent/web/view.h"

namespace imagesweep::web {

// What was before and after the run, from the document that entry.report is (kind SweepReport).
// What cannot be read is not known.
RunRow RunRowOf(RunEntry entry);

std::string PolicyJson(const PolicyView& policy);  // kind ActivePolicy
// kind Error: `reason` for programs ("NoRunYet"), `message` for people.
std::string ErrorJson(int status, const std::string& reason, const std::string& message);

// Why there is nothing to show yet, from what is known of the sources.
std::string WhyNoRun(const StatusView& view);

}  // namespace imagesweep::web
