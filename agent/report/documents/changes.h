#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/model/report.h"

namespace imagesweep {

// A change between two observations of one node.
struct Change {
  enum class Kind { kPulled, kGone, kUsed, kReleased, kTagged, kRefused, kSeeing };
  Kind kind = Kind::kPulled;
  std::string image;   // its name; empty for kRefused and kSeeing
  std::string detail;  // the users, size or tags of the image; the error of kRefused
};

// "Pulled", "Gone", "Used", "Released", "Tagged", "Failed", "Recovered".
std::string_view ToString(Change::Kind kind);

// Compares each observation of a node with the previous one.  The first reports only a failure.  A
// failed observation has no images, so the next one is compared with the last successful one.
//
// containerd lists an image shortly before it has its name, so a new image without a name is
// reported with the next observation.
class ChangeLog {
 public:
  // Sorted by image.
  std::vector<Change> Add(Report report);

  // The last successful observation.
  const std::optional<Report>& seen() const noexcept { return seen_; }

 private:
  std::vector<Change> Compare(const Report& before, const Report& after);

  std::optional<Report> seen_;
  bool refused_ = false;           // the last observation failed
  std::set<std::string> unnamed_;  // IDs that are not reported yet
};

// One change as a line: "09:12:03 Pulled    docker.io/library/nginx:1.25 67.1MiB".
std::string ChangeLine(const Change& change, SystemTime at);

}  // namespace imagesweep
