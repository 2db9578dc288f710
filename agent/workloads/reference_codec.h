#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/workload.h"

namespace imagesweep {

// What one set may take, written out as well as in memory again.
inline constexpr std::size_t kMostReferenceBytes = 64UL << 20;

// References, sorted and each once, as bytes: each text as what differs from the same text of the
// reference before.  Equal sets give equal bytes.  kInvalid when they are not sorted, or are more
// than kMostReferenceBytes.
Result<std::string> WriteReferences(const std::vector<WorkloadReference>& references);

// The references again.  kIncomplete for anything that WriteReferences does not write, to the last
// byte: another format, a number or a length that cannot be, an order that is not ascending, more
// than kMostReferenceBytes in memory.
Result<std::vector<WorkloadReference>> ReadReferences(std::string_view bytes);

}  // namespace imagesweep
