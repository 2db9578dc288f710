#include "agent/model/analysis.h"

namespace imagesweep {

std::string_view ToString(Confidence confidence) {
  switch (confidence) {
    case Confidence::kNone:
      return "none";
    case Confidence::kLow:
      return "low";
    case Confidence::kMedium:
      return "medium";
    case Confidence::kHigh:
      return "high";
  }
  return "none";
}

}  // namespace imagesweep
