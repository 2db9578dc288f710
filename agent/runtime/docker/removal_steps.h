#pragma once

#include <vector>

#include "agent/model/image.h"

namespace imagesweep::docker {

// The names to remove, in this order, before the image can be deleted by its ID. The daemon does
// that only if the names left are one tag at most, and digests of its repository. Pure.
//
// Tags come first, because they can be created again. The last tag of a repository takes the
// repository's digests with it, which only a pull creates, so repositories with digests come later,
// and digests of repositories without a tag come last.
// Source: moby, daemon/images/image_delete.go (isSingleReference) and
// daemon/containerd/image_delete.go (getSameReferences).
std::vector<ImageName> NamesToRemoveFirst(const Image& image);

}  // namespace imagesweep::docker
