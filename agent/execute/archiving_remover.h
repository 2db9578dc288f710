#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "agent/execute/forwarding_remover.h"
#include "agent/model/image_archiver.h"
#include "agent/model/ports.h"

namespace imagesweep {

// Has an image that cannot be pulled again copied before it goes; without a copy it is spared with
// the reason, and its removal fails should the copy be gone by then.  Everything else is the other
// remover's.
//
// Copies are made at the beginning of a batch, however long that takes, so that the recheck comes
// after them.  Threads: as the other remover, which must outlive it like the archiver.
class ArchivingRemover final : public ForwardingRemover {
 public:
  ArchivingRemover(ImageRemover& remover, ImageArchiver& archiver)
      : ForwardingRemover(remover), archiver_(archiver) {}

  Status BeginBatch(const std::vector<const Image*>& images, const std::stop_token& stop) override;
  std::string ReasonToSpare(const Image& image) override;
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override;

 private:
  // Empty: it has one, or needs none.
  std::string WhyWithoutCopy(const Image& image) const;

  ImageArchiver& archiver_;
  std::unordered_map<std::string, Status> copied_;  // of this batch, by image id
};

}  // namespace imagesweep
