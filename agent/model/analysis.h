#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

// Images and the sum of their sizes, as the runtime counts them.
struct Amount {
  std::size_t images = 0;
  std::uint64_t bytes = 0;
};

// How sure it is that nothing will want an idle image soon, by how long it was watched unused.
enum class Confidence { kNone, kLow, kMedium, kHigh };

std::string_view ToString(Confidence confidence);  // "high"

struct IdleImage {
  std::uint32_t image = 0;  // position in Observation::images
  Confidence confidence = Confidence::kNone;
};

// What one way to clean up would do to this node, limits and windows apart.
struct CleanupOption {
  std::string name;  // "Balanced", "everything unused"
  Amount goes;
  Amount to_pull_again;               // of what goes: a registry has it
  std::vector<std::uint32_t> lost;    // of what goes: cannot be pulled again
  std::vector<std::uint32_t> breaks;  // of what goes: the node or the policy needs it
  bool recommended = false;
  std::string impossible;  // why the policy cannot be so; nothing of the above holds then
};

// Who needs what on this node, what nobody needs, and what could be done about it.
struct Analysis {
  std::vector<std::uint32_t> required;  // in use, pinned, the pause image, our own
  Amount required_total;
  std::vector<IdleImage> idle;
  Amount idle_total;
  std::vector<CleanupOption> options;
};

// An image whose verdict another policy would change.
struct VerdictChange {
  std::uint32_t image = 0;
  Decision now, then;
};

}  // namespace imagesweep
