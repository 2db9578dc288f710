#pragma once

#include <string_view>

#include "agent/model/ports.h"

namespace imagesweep::cri {

// Repo digests as evidence. They are evidence on one runtime only: Docker up to 28 with its own
// image store, which adds a repo digest at a pull or a push. There the ID of an image is the digest
// of its config. An image whose ID is the digest of its manifest is in the containerd image store,
// which gives every image a repo digest, as Docker 29 and CRI-O do. For other runtimes, the
// findings say what is missing. Pure.
class RepoDigests final : public OriginSource {
 public:
  Result<OriginFindings> Find(std::span<const Image> images, const RuntimeIdentity& runtime,
                              const std::stop_token& stop) override;
};

// The major version of Docker, or 0 if the text is not the version of a release ("library-import",
// "dev").
int DockerMajor(std::string_view version);

}  // namespace imagesweep::cri
