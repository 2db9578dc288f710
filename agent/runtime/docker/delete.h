#pragma once

#include <stop_token>
#include <string>

#include "agent/model/ports.h"
#include "agent/runtime/docker/client.h"

namespace imagesweep::docker {

// Removes images through the Docker Engine API, never by force.
//
// The last step deletes the image by its full ID. The daemon refuses that, and changes nothing, if
// a container in any state uses the image, another image is built on it, or it has another name
// (409). A deletion by the last name would first remove the name and its digests, and would reach
// another image if the name moved in the same moment.
//
// If the image has several names, the daemon is asked for that deletion first, because its refusal
// also tells whether anything uses the image. Only if the names are the one reason, all but the
// last are removed, each after the guard was asked. They are created again if the guard or the
// daemon refuses a later step. Digests of other repositories cannot be created again, so they are
// removed last. The API has no removal of a name on the condition that it still refers to an image,
// so each name is read right before.
//
// The daemon does not check by ID whether a container mounts the image as a volume: the guard does.
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
