#pragma once

#include <span>
#include <vector>

#include "agent/layers/graph.h"
#include "agent/model/image.h"

namespace imagesweep::layers {

// Names of the image that containerd has and the CRI does not show, normalised: records without a
// tag, without a domain, or with capitals.  A removal takes them as well, so they protect the image
// as its other names do.  Digest names are not among them, nor the CRI's own record of the ID.
std::vector<ImageName> NamesBesideTheCri(const Image& image, std::span<const NativeRecord> records);

}  // namespace imagesweep::layers
