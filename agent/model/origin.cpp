#include "agent/model/origin.h"

namespace imagesweep {

std::string_view ToString(OriginKind kind) {
  switch (kind) {
    case OriginKind::kUnknown:
      return "Unknown";
    case OriginKind::kLocal:
      return "Local";
    case OriginKind::kPulled:
      return "Pulled";
    case OriginKind::kRegistry:
      return "Registry";
  }
  return "Unknown";
}

}  // namespace imagesweep
