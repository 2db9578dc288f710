#include "agent/gc/observe/origins.h"

#include <algorithm>
#include <iterator>

namespace imagesweep {

std::vector<std::string> OriginJudge::Fill(std::span<Image> images, const RuntimeIdentity& runtime,
                                           const std::stop_token& stop) {
  std::vector<std::string> warnings;
  std::vector<std::vector<OriginProof>> proofs(images.size());
  std::string missing;
  for (OriginSource* const source : sources_) {
    auto found = source->Find(images, runtime, stop);
    if (!found) {
      warnings.push_back(
          "the origin of images is only partly known, so images without proof are kept: " +
          found.error().what);
      continue;
    }
    for (std::size_t at = 0; at < found->proofs.size() && at < proofs.size(); ++at)
      std::ranges::move(found->proofs[at], std::back_inserter(proofs[at]));
    if (!found->missing.empty()) missing += (missing.empty() ? "" : "; ") + found->missing;
    std::ranges::move(found->warnings, std::back_inserter(warnings));
  }
  for (std::size_t at = 0; at < images.size(); ++at)
    images[at].origin = JudgeOrigin(images[at], proofs[at], missing);
  return warnings;
}

}  // namespace imagesweep
