#pragma once

#include <string>
#include <vector>

#include "agent/model/report.h"

namespace imagesweep {

// The next steps for an operator, most useful first, one line each.  Reads only the report.
std::vector<std::string> Advice(const Report& report);

}  // namespace imagesweep
