#pragma once

#include <cstdint>
#include <string>

#include "agent/model/report.h"

namespace imagesweep {

// What the removal of an image frees: by the layers, else the size that the runtime tells.
std::uint64_t PredictedBytes(const Report& report, const Outcome& outcome);

// Of a run that was to make room (Plan::room): whether so much was available in the end; of a dry
// run, whether so much would be.
bool HasRoom(const Report& report);

// How far it got, in one line with its newline: "20GiB wanted, 14.2GiB available before, …".
std::string RoomText(const Report& report);

}  // namespace imagesweep
