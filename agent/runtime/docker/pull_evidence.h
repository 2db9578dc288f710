#pragma once

#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/guarded.h"
#include "agent/model/ports.h"
#include "agent/runtime/docker/client.h"

namespace imagesweep::docker {

// Evidence of the Docker Engine that an image was pulled. With Docker's own image store, a pull or
// a push is the only thing that adds a repo digest (cri::RepoDigests judges these). With the
// containerd image store, which is the default since Docker 29, every image has a repo digest, and
// Identity.Pull of the image names the repositories that it was pulled from or pushed to, without
// the ports of their registries. A repository counts only for one of the image's own names, and not
// if these names are of several registries on one host. A daemon that does not report Identity (API
// 1.52 and earlier) gives no evidence. Proofs are remembered while the image keeps its names.
// Thread-safe.
class PullEvidence final : public OriginSource {
 public:
  // `client` must outlive this object.
  explicit PullEvidence(const Client& client) : client_(client) {}
  Result<OriginFindings> Find(std::span<const Image> images, const RuntimeIdentity& runtime,
                              const std::stop_token& stop) override;

 private:
  struct Remembered {
    std::string names;
    std::vector<OriginProof> proofs;
  };
  using Known = std::map<std::string, Remembered>;  // by the ID of the image

  const Client& client_;
  Guarded<Known> known_;
};

}  // namespace imagesweep::docker
