#pragma once

#include <span>
#include <stop_token>

#include "agent/model/ports.h"
#include "agent/runtime/docker/client.h"

namespace imagesweep::docker {

// Evidence of the Docker Engine that an image was pulled. With Docker's own image store, a pull or
// a push is the only thing that adds a repo digest (cri::RepoDigests judges these). With the
// containerd image store, which is the default since Docker 29, every image has a repo digest, and
// Identity.Pull of the image names the repositories that it was pulled from. A daemon that does not
// report Identity gives no evidence.
class PullEvidence final : public OriginSource {
 public:
  // `client` must outlive this object.
  explicit PullEvidence(const Client& client) : client_(client) {}
  Result<OriginFindings> Find(std::span<const Image> images, const RuntimeIdentity& runtime,
                              const std::stop_token& stop) override;

 private:
  const Client& client_;
};

}  // namespace imagesweep::docker
