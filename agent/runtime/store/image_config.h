#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/runtime/store/layer_store.h"

namespace imagesweep::store {

// An image's config is written by whoever built the image, so its size is limited.
constexpr std::size_t kLongestConfig = 4 << 20;

// The layer information of a config.
struct ImageConfig {
  std::vector<std::string> diff_ids;  // lowest first
  std::vector<StoredImage::Step> history;
};

// kIncomplete if the text is not a JSON object.  Missing parts are empty.  Source:
// opencontainers/image-spec, config.md; Docker's image v1.2 has the same fields.
Result<ImageConfig> ParseImageConfig(std::string_view text);

// The chain ID of layers, lowest first: "sha256:…".  Empty if there are none, or if a diff ID is
// not a SHA-256 digest.  Source: image-spec, config.md, "Layer ChainID".
std::string ChainId(const std::vector<std::string>& diff_ids);

}  // namespace imagesweep::store
