#include "agent/model/origin_proof.h"

#include <algorithm>

namespace imagesweep {
namespace {

const OriginProof* ProofOf(std::span<const OriginProof> proofs, const ImageName& name) {
  const auto proof = std::ranges::find_if(
      proofs, [&](const OriginProof& one) { return one.repository == name.repository(); });
  return proof == proofs.end() ? nullptr : &*proof;
}

}  // namespace

Origin JudgeOrigin(const Image& image, std::span<const OriginProof> proofs,
                   const std::string& missing) {
  const OriginProof* proof = proofs.empty() ? nullptr : &proofs.front();
  const auto unproven = std::ranges::find_if(
      image.tags, [&](const ImageName& tag) { return ProofOf(proofs, tag) == nullptr; });
  if (!image.tags.empty()) proof = ProofOf(proofs, image.tags.front());
  if (proof != nullptr && unproven == image.tags.end())
    return {OriginKind::kPulled, proof->evidence, proof->pull_by};
  if (!proofs.empty())
    return {
        OriginKind::kUnknown,
        "no evidence for its name " + unproven->text() + ", only for " + proofs.front().repository,
        {}};
  const bool has_digest = std::ranges::any_of(
      image.digests, [](const ImageName& name) { return !name.digest().empty(); });
  const std::string why = missing.empty() ? "this runtime keeps no evidence of a pull" : missing;
  if (!has_digest) return {OriginKind::kLocal, "it has no repo digest, and " + why, {}};
  return {OriginKind::kUnknown, "a repo digest alone is not evidence, and " + why, {}};
}

}  // namespace imagesweep
