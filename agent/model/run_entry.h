#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/origin.h"

namespace imagesweep {

// RemovalEntry::code of an image that only lost tags.  Older versions wrote such entries: they are
// shown and can be restored, and the image was not removed.
inline constexpr const char* kUntagCode = "Untag";

// One run, as it is kept.
struct RunEntry {
  std::string run;  // id, sorts by time
  SystemTime started;
  SystemTime finished;
  bool dry_run = true;
  std::string result;       // "success", "partial", "noop", "error"
  std::string headline;     // one line for a list: "removed 4 images, 1.2 GiB"
  std::size_t removed = 0;  // images that went; in a dry run, that would have gone
  std::uint64_t bytes = 0;  // the sum of their sizes
  int times = 1;            // runs that this entry stands for: those that did nothing are joined
  std::string report;       // the whole SweepReport document, JSON; empty in lists

  friend bool operator==(const RunEntry&, const RunEntry&) = default;
};

// One removal, as undo needs it; written before the runtime is asked.
struct RemovalEntry {
  std::string run;
  SystemTime at;
  std::string id;                    // of the image
  std::vector<std::string> names;    // its tags
  std::vector<std::string> digests;  // its repo digests
  std::uint64_t size_bytes = 0;
  std::string code;  // why it was to go, policy code and one line
  std::string reason;
  bool done = false;  // it went; false: it was asked for, and what came of it is not known
  // Whether it can be pulled again, by what evidence and by which reference, as known when it was to
  // go; kUnknown in entries of versions that did not record it.
  Origin origin = {};

  friend bool operator==(const RemovalEntry&, const RemovalEntry&) = default;
};

}  // namespace imagesweep
