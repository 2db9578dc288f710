#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "agent/execute/forwarding_remover.h"

namespace imagesweep {

// Asks the registry of each image before it goes whether it still has it (keep.verifyRegistry:
// BeforeRemoval); unless the registry says so, the image is spared with the reason, whatever else
// lets it go.  Everything else is the other remover's.
//
// Asks at the beginning of a batch, however long that takes, so that the last look comes after it.
// Threads: as the other remover, which must outlive it like the verifier.
class VerifyingRemover final : public ForwardingRemover {
 public:
  // `verifier`: null: nothing here asks registries, and every image stays.
  VerifyingRemover(ImageRemover& remover, RegistryVerifier* verifier)
      : ForwardingRemover(remover), verifier_(verifier) {}

  Status BeginBatch(const std::vector<const Image*>& images, const std::stop_token& stop) override;
  std::string ReasonToSpare(const Image& image) override;
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override;

 private:
  // Empty: the registry has it.
  std::string WhyUnverified(const Image& image) const;

  RegistryVerifier* const verifier_;
  std::unordered_map<std::string, std::string> asked_;  // of this batch: by image id, why it stays
};

}  // namespace imagesweep
