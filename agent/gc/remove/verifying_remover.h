#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "agent/gc/remove/forwarding_remover.h"

namespace imagesweep {

// Asks the registry of each image before its removal whether it still has the image
// (keep.verifyRegistry: BeforeRemoval).  Skips the image with the reason unless the registry
// confirms it.  Forwards everything else to the other remover.
//
// Asks at the start of a batch, before the recheck, because it can take long.  Threads: as the
// other remover.  It and the verifier must outlive this one.
class VerifyingRemover final : public ForwardingRemover {
 public:
  // `verifier`: null: registries cannot be asked, and every image stays.
  VerifyingRemover(ImageRemover& remover, RegistryVerifier* verifier)
      : ForwardingRemover(remover), verifier_(verifier) {}

  Status BeginBatch(const std::vector<const Image*>& images, const std::stop_token& stop) override;
  std::string ReasonToSkip(const Image& image) override;
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override;

 private:
  // Empty: the registry has the image.
  std::string WhyUnverified(const Image& image) const;

  RegistryVerifier* const verifier_;
  std::unordered_map<std::string, std::string> asked_;  // of this batch, by image ID: why it stays
};

}  // namespace imagesweep
