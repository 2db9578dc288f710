#pragma once

#include <string>

#include "agent/cmd/options.h"
#include "agent/model/plan.h"

namespace imagesweep {

// The error for an image `name` that the node does not have, with a hint: its last removal in the
// history and how to restore it, or other tags of its repository.
std::string MissingImageText(const Options& options, const std::string& name,
                             const Observation& seen);

}  // namespace imagesweep
