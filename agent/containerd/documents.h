#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep::containerd {

// What a config says of its layers; everything else of it is dropped.
struct ConfigFacts {
  struct Step {
    std::string created_by;  // its beginning
    bool empty_layer = false;
  };
  std::vector<std::string> diff_ids;  // lowest first
  std::vector<Step> history;
};

// kIncomplete for what is no such document; parts that are missing are empty.
// Source: opencontainers/image-spec, config.md; Docker's image v1.2 has the same fields.
Result<ConfigFacts> ParseConfig(std::string_view text);

// The digest of the config that a manifest names; empty for an index.  Source: image-spec,
// manifest.md.
Result<std::string> ConfigOfManifest(std::string_view text);

}  // namespace imagesweep::containerd
