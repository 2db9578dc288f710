#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/workload.h"

namespace imagesweep {

// The maximum size of a set, both encoded and in memory.
inline constexpr std::size_t kMaxReferenceBytes = 64UL << 20;

// Encodes references, which must be sorted and without duplicates.  Stores of each text only the
// difference from the previous reference.  Equal sets give equal bytes.  kInvalid if they are not
// sorted, or larger than kMaxReferenceBytes.
Result<std::string> WriteReferences(const std::vector<WorkloadReference>& references);

// Decodes references.  kIncomplete for any bytes that WriteReferences does not write: another
// format, an invalid number or length, an order that is not ascending, or more than
// kMaxReferenceBytes in memory.
Result<std::vector<WorkloadReference>> ReadReferences(std::string_view bytes);

}  // namespace imagesweep
