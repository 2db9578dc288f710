#pragma once

#include <string>

namespace imagesweep {

std::string Version();   // "0.1.0"
std::string Revision();  // the source revision, or "unknown"

// "imagesweep 1.2.3 (revision abc, CRI v1)"
std::string VersionLine();

}  // namespace imagesweep
