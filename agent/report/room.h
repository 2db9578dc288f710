#pragma once

#include <string>

#include "agent/model/report.h"

namespace imagesweep {

// Of a run that was to make room (Plan::room): whether so much was available in the end.
bool HasRoom(const Report& report);

// How far it got, in one line with its newline: "20GiB wanted, 14.2GiB available before, …".
std::string RoomText(const Report& report);

}  // namespace imagesweep
