#pragma once

#include <string>

#include "agent/server/web/view.h"

namespace imagesweep::web {

// The state before and after the run, from the document in entry.report (kind SweepReport); empty
// where it cannot be read.
RunRow RunRowOf(RunEntry entry);

std::string PolicyJson(const PolicyView& policy);  // kind ActivePolicy
// kind Error: `reason` for programs ("NoRunYet"), `message` for people.
std::string ErrorJson(int status, const std::string& reason, const std::string& message);

// The reason why there is no run to show yet, from the health of the sources.
std::string WhyNoRun(const StatusView& view);

}  // namespace imagesweep::web
