#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/origin.h"

namespace imagesweep {

// RemovalEntry::code of an image that only lost tags and was not removed.  Older versions wrote
// such entries.  They are shown and can be restored.
inline constexpr const char* kUntagCode = "Untag";

// One run in the history.
struct RunEntry {
  std::string run;  // ID, sorts by time
  SystemTime started;
  SystemTime finished;
  bool dry_run = true;
  std::string result;       // "success", "partial", "noop", "error"
  std::string headline;     // one line for a list: "removed 4 images, 1.2 GiB"
  std::size_t removed = 0;  // removed images; in a dry run, the selected images
  std::uint64_t bytes = 0;  // the sum of their sizes
  int times = 1;            // the number of runs in this entry: runs without removals are merged
  std::string report;       // the whole SweepReport document as JSON; empty in lists

  friend bool operator==(const RunEntry&, const RunEntry&) = default;
};

// One removal, with the data to restore the image.  Written before the call to the runtime.
struct RemovalEntry {
  std::string run;
  SystemTime at;
  std::string id;                    // image ID
  std::vector<std::string> names;    // its tags
  std::vector<std::string> digests;  // its repo digests
  std::uint64_t size_bytes = 0;
  std::string code;  // verdict code
  std::string reason;
  bool done = false;  // removed; false: requested, with an unknown result
  // The origin at the time of the removal, with evidence and reference.  kUnknown in entries of
  // versions that did not record it.
  Origin origin = {};

  friend bool operator==(const RemovalEntry&, const RemovalEntry&) = default;
};

}  // namespace imagesweep
