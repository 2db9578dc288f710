#pragma once

#include <span>
#include <vector>

#include "agent/imagestore/graph/graph.h"
#include "agent/model/image.h"

namespace imagesweep::layers {

// Returns the names of the image that containerd has and the CRI does not list, normalised: records
// without a tag, without a domain, or with capitals.  A removal also deletes them, so they protect
// the image like its other names.  Does not include digest names and the CRI's own record of the
// ID.
std::vector<ImageName> NamesBesideTheCri(const Image& image, std::span<const NativeRecord> records);

}  // namespace imagesweep::layers
