#pragma once

#include <span>
#include <string>
#include <vector>

#include "agent/model/image.h"
#include "agent/model/image_pos.h"

namespace imagesweep {

// The images that match `text`: a name, a digest or an ID as in ImageIndex::Resolve; otherwise a
// prefix of an ID of any length; otherwise a shortened digest as in tables
// ("ci@sha256:476119050bf5").  Ascending.
std::vector<ImagePos> ImagesMeantBy(std::span<const Image> images, const std::string& text);

}  // namespace imagesweep
