#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/model/plan.h"

namespace imagesweep {

// The order of printed lists: the order of the runtime has no meaning, and changes between calls.

// By name, then by ID.
std::vector<ImagePos> ByName(const Observation& seen, std::vector<ImagePos> images);
std::vector<ImagePos> AllByName(const Observation& seen);

// The users of an image: pods first, then by name; each once.
std::vector<ImageUser> UsersOf(const Observation& seen, const Decision& decision);
// The same with one entry per pod.
std::vector<ImageUser> PodsOf(const Observation& seen, const Decision& decision);

// The workloads that will start the image again, by kind, namespace and name, as positions in
// Observation::workloads; at most `most`.
inline constexpr std::size_t kMaxWorkloads = 100;
std::vector<std::uint32_t> WorkloadsOf(const Observation& seen, const Decision& decision,
                                       std::size_t most = kMaxWorkloads);

}  // namespace imagesweep
