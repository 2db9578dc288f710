#pragma once

#include <array>
#include <string_view>

#include "agent/model/plan.h"

namespace imagesweep {

// The states of images in metrics and in `imagesweep watch`.  Every image has exactly one.
inline constexpr std::array kImageStates{"in_use",    "pinned", "sandbox",  "kept",
                                         "too_young", "idle",   "candidate"};

constexpr std::string_view ImageState(Code code) {
  switch (code) {
    case Code::kInUse:
      return "in_use";
    case Code::kPinned:
      return "pinned";
    case Code::kSandbox:
      return "sandbox";
    case Code::kSelf:
    case Code::kWorkload:
    case Code::kKeepRule:
    case Code::kLocalOnly:
    case Code::kRetained:
    case Code::kUnknown:
      return "kept";
    case Code::kTooYoung:
      return "too_young";
    case Code::kIdle:
    case Code::kNoGain:
      return "idle";
    case Code::kRule:
    case Code::kDangling:
    case Code::kSuperseded:
    case Code::kAge:
    case Code::kSpace:
    case Code::kCritical:
    case Code::kWindow:
    case Code::kLimit:
      return "candidate";
  }
  return "idle";
}

// The reason of a removal in metrics and events: age | rule | dangling | superseded | space |
// critical.  The kubelet uses "age" and "space" for its image garbage collection.
// Source: k8s.io/kubernetes, pkg/kubelet/metrics (kubelet_image_garbage_collected_total).
constexpr std::string_view RemovalReason(Code code) {
  if (code == Code::kRule) return "rule";
  if (code == Code::kDangling) return "dangling";
  if (code == Code::kSuperseded) return "superseded";
  if (code == Code::kCritical) return "critical";
  return code == Code::kSpace ? "space" : "age";
}

}  // namespace imagesweep
