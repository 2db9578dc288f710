#pragma once

#include <string>

#include "agent/cli/options.h"
#include "agent/model/plan.h"

namespace imagesweep {

// For an image that somebody asks for and the node does not have: that it is not there, and what
// may have become of it or was meant.  Other tags of the repository, or the last removal that is
// remembered in the state directory and how to undo it.
std::string MissingImageText(const Options& options, const Observation& seen);

}  // namespace imagesweep
