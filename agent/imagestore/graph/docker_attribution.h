#pragma once

#include <span>

#include "agent/imagestore/graph/attribution.h"

namespace imagesweep::layers {

// The records of Docker's containerd image store that belong to each of its images.
//
// Docker's ID of an image is the digest of the target of its records: a manifest, or the index of
// several platforms.  An image without a tag has a record "moby-dangling@sha256:...".
//
// The classic builder also has a record for each step, which Docker does not list.  Docker removes
// it together with an image that is built on it, so it counts as removed only if all of these
// images are removed.  Content that they share is then freed in the right moment; the documents of
// the step may be freed earlier.
//
// Source: moby, daemon/containerd/image_list.go, image_delete.go, soft_delete.go (29).
Attribution AttributeDocker(const MetadataSnapshot& metadata, const ObjectIndex& index,
                            std::span<const Image> images);

}  // namespace imagesweep::layers
