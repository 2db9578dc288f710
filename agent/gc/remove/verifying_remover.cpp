#include "agent/gc/remove/verifying_remover.h"

namespace imagesweep {
namespace {

constexpr const char* kStays = " (keep.verifyRegistry: BeforeRemoval), so it stays";

}  // namespace

Status VerifyingRemover::BeginBatch(const std::vector<const Image*>& images,
                                    const std::stop_token& stop) {
  asked_.clear();
  std::vector<const Image*> verified;
  for (const Image* image : images) {
    if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "shutting down"};
    std::string why;
    if (verifier_ == nullptr) {
      why = std::string("no registry client is available") + kStays;
    } else if (const auto origin = verifier_->Verify(*image, stop); !origin) {
      why = "the registry did not confirm the image: " + origin.error().what + kStays;
    } else if (origin->kind != OriginKind::kRegistry) {
      why = std::string("the registry did not confirm the image") + kStays;
    }
    if (why.empty()) verified.push_back(image);
    asked_.insert_or_assign(image->id.text(), std::move(why));
  }
  // The inner remover handles only confirmed images.
  return inner().BeginBatch(verified, stop);
}

std::string VerifyingRemover::WhyUnverified(const Image& image) const {
  const auto asked = asked_.find(image.id.text());
  return asked == asked_.end() ? std::string("its registry was not queried") + kStays
                               : asked->second;
}

std::string VerifyingRemover::ReasonToSkip(const Image& image) {
  std::string why = WhyUnverified(image);
  return why.empty() ? inner().ReasonToSkip(image) : why;
}

Result<Removal> VerifyingRemover::Remove(const Image& image, DeletionGuard& guard,
                                         const std::stop_token& stop) {
  if (std::string why = WhyUnverified(image); !why.empty())
    return Error{ErrorKind::kIncomplete, std::move(why)};
  return inner().Remove(image, guard, stop);
}

}  // namespace imagesweep
