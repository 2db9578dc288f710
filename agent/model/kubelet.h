#pragma once

namespace imagesweep {

// The disk use at which the kubelet garbage-collects images. Source: k8s.io/kubelet/config/v1beta1,
// imageGCHighThresholdPercent and imageGCLowThresholdPercent.
struct KubeletThresholds {
  int high_percent = 85;  // 100: never
  int low_percent = 80;
  bool read = false;  // read from this kubelet; false: its defaults
};

}  // namespace imagesweep
