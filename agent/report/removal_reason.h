#pragma once

#include <string_view>

#include "agent/model/plan.h"

namespace imagesweep {

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
