#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace imagesweep {

// A Kubernetes quantity of bytes: "20Gi", "500M", "1.5Gi", "0", "1e3".  kInvalid for anything else
// (also "20GiB" and negative ones) and for more than 2^62 bytes.  A fraction of a byte rounds up,
// as in k8s.io/apimachinery.
Result<std::uint64_t> ParseQuantity(std::string_view text);

// In binary units, as kubectl and crictl print them: "0B", "512KiB", "1.3GiB".
std::string HumanBytes(std::uint64_t bytes);

}  // namespace imagesweep
