#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/model/image.h"

namespace imagesweep {

// The images that a person means by `text`: a name, a digest or an id as in ImageIndex::Resolve;
// else the beginning of an id, however short; else a digest as tables show it, cut off
// ("docker.io/library/ci@sha256:476119050bf5").  Ascending.
std::vector<std::uint32_t> ImagesMeantBy(std::span<const Image> images, const std::string& text);

}  // namespace imagesweep
