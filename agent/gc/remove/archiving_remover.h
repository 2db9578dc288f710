#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "agent/gc/remove/forwarding_remover.h"
#include "agent/model/ports.h"

namespace imagesweep {

// Archives an image that cannot be pulled again before its removal.  Without a copy, skips the
// image with the reason.  If the copy disappears before the removal, the removal fails.  Forwards
// everything else to the other remover.
//
// Makes the copies at the start of a batch, before the recheck, because they can take long.
// Threads: as the other remover.  It and the archiver must outlive this one.
class ArchivingRemover final : public ForwardingRemover {
 public:
  ArchivingRemover(ImageRemover& remover, ImageArchiver& archiver)
      : ForwardingRemover(remover), archiver_(archiver) {}

  Status BeginBatch(const std::vector<const Image*>& images, const std::stop_token& stop) override;
  std::string ReasonToSkip(const Image& image) override;
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override;

 private:
  // Empty: the image has a copy, or needs none.
  std::string WhyWithoutCopy(const Image& image) const;

  ImageArchiver& archiver_;
  std::unordered_map<std::string, Status> copied_;  // of this batch, by image ID
};

}  // namespace imagesweep
