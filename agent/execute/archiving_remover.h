#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "agent/model/image_archiver.h"
#include "agent/model/ports.h"

namespace imagesweep {

// Has an image that cannot be pulled again copied before it goes; without a copy it is spared with
// the reason, and its removal fails should the copy be gone by then.  Everything else is the other
// remover's.
//
// Copies are made at the beginning of a batch, however long that takes, so that the recheck comes
// after them.  Threads: as the other remover, which must outlive it like the archiver.
class ArchivingRemover final : public ImageRemover {
 public:
  ArchivingRemover(ImageRemover& remover, ImageArchiver& archiver)
      : remover_(remover), archiver_(archiver) {}

  std::size_t batch_size() const override { return remover_.batch_size(); }
  std::size_t in_flight() const override { return remover_.in_flight(); }
  Status BeginBatch(const std::vector<const Image*>& images, const std::stop_token& stop) override;
  Result<std::vector<ImageReference>> ReadNonCriContainers(const std::vector<std::string>& listed,
                                                           const std::stop_token& stop) override {
    return remover_.ReadNonCriContainers(listed, stop);
  }
  bool StillHolds(const std::vector<Image>& listed) override { return remover_.StillHolds(listed); }
  std::string ReasonToSpare(const Image& image) override;
  Status Reclaim(const std::stop_token& stop) override { return remover_.Reclaim(stop); }
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override;

 private:
  // Empty: it has one, or needs none.
  std::string WhyWithoutCopy(const Image& image) const;

  ImageRemover& remover_;
  ImageArchiver& archiver_;
  std::unordered_map<std::string, Status> copied_;  // of this batch, by image id
};

}  // namespace imagesweep
