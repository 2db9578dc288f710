#pragma once

#include <string>
#include <vector>

#include "agent/model/report.h"

namespace imagesweep {

// What a person could do next, most useful first; one line each.  From the report alone.
std::vector<std::string> Advice(const Report& report);

}  // namespace imagesweep
