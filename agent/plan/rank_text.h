#pragma once

#include <string>

#include "agent/plan/standing.h"

namespace imagesweep {

// "3rd newest of docker.io/library/api in scheme v<number>; the newest 2 are kept".  Only for a
// name that has a place.  `kept`: the number of names that are kept.
std::string RankText(const NameStanding& standing, int kept);

}  // namespace imagesweep
