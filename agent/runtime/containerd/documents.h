#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep::containerd {

// The layer information of a config. Everything else is dropped.
struct ConfigFacts {
  struct Step {
    std::string created_by;  // the beginning of it
    bool empty_layer = false;
  };
  std::vector<std::string> diff_ids;  // lowest first
  std::vector<Step> history;
};

// kIncomplete if the text is not such a document. Missing parts are empty. Source:
// opencontainers/image-spec, config.md; Docker's image v1.2 has the same fields.
Result<ConfigFacts> ParseConfig(std::string_view text);

// The digest of the config that a manifest names. Empty for an index. Source: image-spec,
// manifest.md.
Result<std::string> ConfigOfManifest(std::string_view text);

}  // namespace imagesweep::containerd
