#include "agent/gc/remove/archiving_remover.h"

#include <utility>

namespace imagesweep {

Status ArchivingRemover::BeginBatch(const std::vector<const Image*>& images,
                                    const std::stop_token& stop) {
  copied_.clear();
  for (const Image* image : images) {
    if (!image->local_only()) continue;
    if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "archive: shutting down"};
    const auto archive = archiver_.Archive(*image, stop);
    copied_.insert_or_assign(image->id.text(), archive ? Status(Done{}) : archive.error());
  }
  return inner().BeginBatch(images, stop);
}

std::string ArchivingRemover::WhyWithoutCopy(const Image& image) const {
  if (!image.local_only()) return {};
  const std::string why = "no evidence that it can be pulled again, and it ";
  const auto copied = copied_.find(image.id.text());
  if (copied == copied_.end()) return why + "was not archived";
  if (!copied->second)
    return why + "could not be archived, so it stays: " + copied->second.error().what;
  return archiver_.Has(image) ? std::string()
                              : "no evidence that it can be pulled again, and its archive no "
                                "longer exists, so it stays";
}

std::string ArchivingRemover::ReasonToSkip(const Image& image) {
  std::string why = WhyWithoutCopy(image);
  return why.empty() ? inner().ReasonToSkip(image) : why;
}

Result<Removal> ArchivingRemover::Remove(const Image& image, DeletionGuard& guard,
                                         const std::stop_token& stop) {
  // Check again, because another process may have deleted the copy to free space for its archives.
  if (std::string why = WhyWithoutCopy(image); !why.empty())
    return Error{ErrorKind::kIncomplete, std::move(why)};
  return inner().Remove(image, guard, stop);
}

}  // namespace imagesweep
