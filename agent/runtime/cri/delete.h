#pragma once

#include <memory>
#include <stop_token>
#include <string_view>

#include "agent/model/ports.h"
#include "agent/runtime/cri/connection.h"

namespace imagesweep::cri {

// Whether the text is a full image ID as ListImages returns it: 64 hexadecimal digits (CRI-O), or
// an algorithm, a colon, and at least 64 digits (containerd, cri-dockerd). Never pass any other
// text to RemoveImage: containerd and CRI-O accept a unique prefix of an ID, and containerd
// resolves the empty text to its only image.
bool IsFullImageId(std::string_view text);

// Whether the error of RemoveImage says that a container uses the image. CRI-O, and Docker by a
// conflict (409), also refuse removal because of containers that the CRI does not list. This
// decides only how the refusal is counted, never whether an image is removed. A refusal in unknown
// words counts as a failure. Sources: containers/storage ErrImageUsedByContainer; CRI-O
// server/image_remove.go; moby daemon/images/image_delete.go.
bool SaysInUse(const Error& error);

// Removes images through the CRI, by full ID only. It does not check whether an image is in use,
// and neither does containerd: the guard checks that right before the call. An image that is
// already gone counts as removed. A removal takes at most the connection's remove_timeout.
// Thread-safe.
class CriImageRemover final : public ImageRemover {
 public:
  explicit CriImageRemover(std::shared_ptr<Connection> connection);
  // containerd runs one garbage collection for each call. Calls that arrive during a collection
  // share the next one. With more calls at once, all other clients wait longer for the runtime.
  std::size_t batch_size() const override { return 4; }
  std::size_t in_flight() const override { return 4; }
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override;

 private:
  const std::shared_ptr<Connection> connection_;
};

}  // namespace imagesweep::cri
