#pragma once

#include <string_view>

#include "agent/model/plan.h"

namespace imagesweep {

// Why an image goes, in the words of metrics and events: age | rule | dangling | superseded | space
// | critical.  "age" and "space" are the kubelet's own words for its image collector.
// Source: k8s.io/kubernetes, pkg/kubelet/metrics (kubelet_image_garbage_collected_total).
constexpr std::string_view RemovalReason(Code code) {
  if (code == Code::kRule) return "rule";
  if (code == Code::kDangling) return "dangling";
  if (code == Code::kSuperseded) return "superseded";
  if (code == Code::kCritical) return "critical";
  return code == Code::kSpace ? "space" : "age";
}

}  // namespace imagesweep
