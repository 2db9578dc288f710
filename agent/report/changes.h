#pragma once

#include <optional>
#include <set>
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

// Tells what each look at a node adds to those before it.  Of the first nothing is told but that it
// was refused; a refused look has no images, so the next is compared with the last that had some.
//
// containerd lists an image a moment before it has its name: one that comes without any is told of
// at the look after, with the name that it has by then.
class ChangeLog {
 public:
  // Sorted by image.
  std::vector<Change> Look(Report report);

  // The last look that was not refused.
  const std::optional<Report>& seen() const noexcept { return seen_; }

 private:
  std::vector<Change> Compare(const Report& before, const Report& after);

  std::optional<Report> seen_;
  bool refused_ = false;           // the last look
  std::set<std::string> unnamed_;  // ids not told of yet
};

// One change as a line: "09:12:03 Pulled    docker.io/library/nginx:1.25 67.1MiB".
std::string ChangeLine(const Change& change, SystemTime at);

}  // namespace imagesweep
