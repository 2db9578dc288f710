#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/model/report.h"

namespace imagesweep {

// Images that nothing needs but that the policy keeps for one reason, and the setting that would
// release them.  Shown when a run frees too little space.
struct HeldBack {
  Code code = Code::kTooYoung;  // kTooYoung, kLocalOnly or kRetained
  std::size_t images = 0;
  std::uint64_t bytes = 0;  // sizes as the runtime reports them
  std::string release;      // the instruction, with the flag or field
};

// Groups with at least one image, in that order.
std::vector<HeldBack> FindHeldBack(const Report& report);

// One line per group; empty without groups.  `missing`: bytes that still have to be freed; a group
// of at least this size is marked as enough.
std::string HeldBackText(const Report& report, std::uint64_t missing = 0);

}  // namespace imagesweep
