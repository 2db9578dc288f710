#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/model/plan.h"

namespace imagesweep {

// The order of what is printed: the runtime's own has no meaning, and changes from one look to the
// next.

// By name, then by id.
std::vector<std::uint32_t> ByName(const Observation& seen, std::vector<std::uint32_t> images);
std::vector<std::uint32_t> AllByName(const Observation& seen);

// Who uses it: pods first, then by name; each once.
std::vector<Referrer> UsersOf(const Observation& seen, const Decision& decision);
// The same with one container for each pod.
std::vector<Referrer> PodsOf(const Observation& seen, const Decision& decision);

// Which workloads will start it again, by kind, namespace and name, as positions in
// Observation::workloads; at most so many of them.
inline constexpr std::size_t kMaxWorkloads = 100;
std::vector<std::uint32_t> WorkloadsOf(const Observation& seen, const Decision& decision,
                                       std::size_t most = kMaxWorkloads);

}  // namespace imagesweep
