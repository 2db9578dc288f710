#pragma once

#include <string_view>

#include "agent/model/ports.h"

namespace imagesweep::cri {

// Repo digests as evidence, which they are on one runtime only: Docker up to 28 with its own image
// store, which adds one at a pull or a push.  An image there has the digest of its config as id; one
// whose id is the digest of its manifest is of the containerd image store, which gives every image a
// repo digest, as Docker 29 does and CRI-O.  Says of other runtimes what is missing.  Pure.
class RepoDigests final : public OriginSource {
 public:
  Result<OriginFindings> Find(std::span<const Image> images, const RuntimeIdentity& runtime,
                              const std::stop_token& stop) override;
};

// The major version of Docker; 0 when the text is no version of a release ("library-import", "dev").
int DockerMajor(std::string_view version);

}  // namespace imagesweep::cri
