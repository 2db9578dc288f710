#pragma once

#include <cstdint>
#include <string>

#include "agent/model/report.h"

namespace imagesweep {

// The space that the removal of an image frees: by the layers, otherwise its size as the runtime
// reports it.
std::uint64_t PredictedBytes(const Plan& plan, const Observation& seen, const Outcome& outcome);

// True if a run of ensure-space reached its target (Plan::free_space_target) or, in a dry run,
// would reach it.
bool HasFreeSpace(const Report& report);

// The result in one line with its newline: "20GiB requested on the image filesystem …".
std::string FreeSpaceText(const Report& report);

}  // namespace imagesweep
