#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace imagesweep {

// The policy that a manifest of a ConfigMap contains.
struct ManifestPolicy {
  std::string config_map;  // NAMESPACE/NAME or NAME; empty if the manifest has no name
  std::string text;
  // For ParsePolicy: lines of the manifest before the text. Empty if the lines of the text are no
  // lines of the manifest, because it is in quotes, as in JSON.
  std::optional<int> lines_before;
};

// The policy at `key` of a manifest of a ConfigMap, in YAML or JSON, as kubectl reads and prints
// it. Nothing for any other document, also for one that is not YAML: ParsePolicy reports what is
// wrong with it. kInvalid, one error per line, if the ConfigMap has no text at this key. Any
// thread.
Result<std::optional<ManifestPolicy>> FindManifestPolicy(std::string_view document,
                                                         const std::string& key);

}  // namespace imagesweep
