#pragma once

#include <string>

namespace imagesweep {

std::string Version();   // "0.1.0"
std::string Revision();  // the source revision, or "unknown"

}  // namespace imagesweep
