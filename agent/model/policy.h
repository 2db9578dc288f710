#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/glob.h"

namespace imagesweep {

// What happens to images that cannot be pulled again (no repo digest).
enum class LocalOnly {
  kAlways,  // kept
  kNever,   // treated like any other image
};

// Disk use in whole percent of the image filesystem; kubelet's words and arithmetic.
struct DiskThresholds {
  int high_percent = 75;  // at or above: images go, least recently used first; 0 = off
  int low_percent = 65;   // … until at or below
};

struct KeepRules {
  std::vector<ImageGlob> images;  // always win; default ["localhost/**"]
  std::vector<std::string> tags;  // tag globs: an image with such a tag stays
  LocalOnly local_only = LocalOnly::kAlways;
};

// Per run.
struct Limits {
  int max_images = 50;
  std::uint64_t max_bytes = 0;  // sum of the runtime's sizes; 0 = no limit
  int max_percent_of_images = 50;
  Millis removal_delay{200};
  int max_failures = 5;
};

// The admin's wishes, valid as a whole: policy/ builds it from YAML or not at all.  The defaults
// here are the only ones; documents and `policy defaults` are made from them.
struct Policy {
  bool dry_run = true;
  bool suspend = false;
  Millis interval = std::chrono::minutes(15);
  Millis initial_delay = std::chrono::minutes(5);
  int jitter_percent = 20;
  Millis minimum_age = std::chrono::hours(1);
  Millis maximum_age = std::chrono::hours(336);  // 0 = off
  bool remove_dangling = true;
  DiskThresholds disk;
  KeepRules keep;
  Limits limits;

  // Policy with every default, keep.images included.
  static Policy Default();
};

// Where the policy in force came from, for reports and metrics.
struct PolicySource {
  std::string description;  // "configmap/imagesweep-system/imagesweep-policy", "file:…", "defaults"
  std::string sha256;       // first 12 hexadecimal digits of the text's hash; empty for defaults
};

}  // namespace imagesweep
