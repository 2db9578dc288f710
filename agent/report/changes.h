#pragma once

#include <string>
#include <vector>

#include "agent/model/report.h"

namespace imagesweep {

// What became different between two looks at one node.
struct Change {
  enum class Kind { kPulled, kGone, kUsed, kReleased, kTagged, kRefused, kSeeing };
  Kind kind = Kind::kPulled;
  std::string image;   // its name; empty for kRefused and kSeeing
  std::string detail;  // who uses it, how large it is, which tags; why nothing can be seen
};

// "Pulled", "Gone", "Used", "Released", "Tagged", "Refused", "Seeing again".
std::string_view ToString(Change::Kind kind);

// Sorted by image.  Pure.  A refused look has no images: between such a look and the next nothing
// is said of images; use LastSeen of a run of looks.
std::vector<Change> ChangesBetween(const Report& before, const Report& after);

// One change as a line: "09:12:03 Pulled    docker.io/library/nginx:1.25 67.1MiB".
std::string ChangeLine(const Change& change, SystemTime at);

}  // namespace imagesweep
