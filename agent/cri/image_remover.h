#pragma once

#include <memory>
#include <stop_token>
#include <string_view>

#include "agent/cri/connection.h"
#include "agent/model/ports.h"

namespace imagesweep::cri {

// An id as ListImages gives it and no shorter: 64 hexadecimal digits (CRI-O), or an algorithm, a
// colon and at least 64 (containerd, cri-dockerd).  Anything else must not go to RemoveImage:
// containerd and CRI-O take a unique prefix for the whole id, and containerd takes the empty text
// for its only image.
bool IsFullImageId(std::string_view text);

// Whether a runtime that refused to remove an image says that a container uses it: CRI-O, and
// Docker by a conflict (409), refuse this for containers that the CRI does not list, too.  It
// decides only how the refusal is counted, never whether anything goes; what is not known by its
// words is a failure.  Source: containers/storage ErrImageUsedByContainer; CRI-O
// server/image_remove.go; moby daemon/images/image_delete.go.
bool SaysInUse(const Error& error);

// Removes from a real runtime, by full id and by nothing else.  It asks nobody whether the image is
// in use: containerd does not either, so the guard does, right before the call.  An image that
// is already gone counts as removed.  Takes at most the connection's remove_timeout.  Any thread.
class CriImageRemover final : public ImageRemover {
 public:
  explicit CriImageRemover(std::shared_ptr<Connection> connection);
  // containerd collects garbage once for each call, and those that come while it does share the
  // next collection; with more of them at once everybody else waits longer for the runtime.
  std::size_t batch_size() const override { return 4; }
  std::size_t in_flight() const override { return 4; }
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override;

 private:
  const std::shared_ptr<Connection> connection_;
};

}  // namespace imagesweep::cri
