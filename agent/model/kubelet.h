#pragma once

namespace imagesweep {

// At which disk use the kubelet collects images itself.
// Source: k8s.io/kubelet/config/v1beta1, imageGCHighThresholdPercent and imageGCLowThresholdPercent.
struct KubeletThresholds {
  int high_percent = 85;  // 100: never
  int low_percent = 80;
  bool read = false;  // by this kubelet; false: its defaults are assumed
};

}  // namespace imagesweep
