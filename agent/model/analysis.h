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

// The confidence that an idle image stays unused, by how long it was watched unused.
enum class Confidence { kNone, kLow, kMedium, kHigh };

std::string_view ToString(Confidence confidence);  // "high"

struct IdleImage {
  ImagePos image;
  Confidence confidence = Confidence::kNone;
};

// The effect of one way to clean up this node, without limits and windows.
struct CleanupOption {
  std::string name;  // "Balanced", "everything unused"
  Amount goes;
  Amount to_pull_again;          // removed images that can be pulled again
  std::vector<ImagePos> lost;    // removed images that cannot be pulled again
  std::vector<ImagePos> breaks;  // removed images that the node or the policy needs
  bool recommended = false;
  std::string impossible;  // why the policy is invalid with this profile; the rest is then empty
};

// The needed and the idle images of this node, and the ways to clean up.
struct Analysis {
  std::vector<ImagePos> required;  // in use, pinned, the pause image, imagesweep's own image
  Amount required_total;
  std::vector<IdleImage> idle;
  Amount idle_total;
  std::vector<CleanupOption> options;
};

// An image whose verdict another policy changes.
struct VerdictChange {
  ImagePos image;
  Decision now, then;
};

}  // namespace imagesweep
