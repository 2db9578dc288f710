#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/model/report.h"

namespace imagesweep {

// Images that nothing needs and that the policy keeps all the same, for one reason, and what would
// let them go: what a person asks when a disk is full and too little goes.
struct HeldBack {
  Code code = Code::kTooYoung;  // kTooYoung, kLocalOnly or kRetained
  std::size_t images = 0;
  std::uint64_t bytes = 0;  // by the sizes that the runtime tells
  std::string release;      // the flag or field
};

// Groups with at least one image, in that order.
std::vector<HeldBack> FindHeldBack(const Report& report);

// A line for each group; empty when there is none.  `missing`: bytes that are still to come free;
// a group that has as much is called enough.
std::string HeldBackText(const Report& report, std::uint64_t missing = 0);

}  // namespace imagesweep
