#pragma once

#include <stop_token>
#include <string>

#include "agent/model/ports.h"
#include "agent/runtime/docker/client.h"

namespace imagesweep::docker {

// Removes images through the Docker Engine API, one name after the other, the last one last, and
// never by force. Only the removal of the last name deletes the image, and the daemon refuses it
// while a container in any state uses the image (409). All other steps can be undone: the names are
// created again if the guard or the daemon refuses the image later.
//
// Before the first step, the remover reads the image again. It skips an image whose names changed
// since ListImages. An image that is gone counts as removed.
// Source: moby, daemon/images/image_delete.go and daemon/containerd/image_delete.go. Thread-safe.
class EngineImageRemover final : public ImageRemover {
 public:
  // `client` must outlive this object.
  explicit EngineImageRemover(const Client& client) : client_(client) {}
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override;

 private:
  const Client& client_;
};

}  // namespace imagesweep::docker
