#include "agent/execute/archiving_remover.h"

namespace imagesweep {

Status ArchivingRemover::BeginBatch(const std::vector<const Image*>& images,
                                    const std::stop_token& stop) {
  copied_.clear();
  for (const Image* image : images) {
    if (!image->local_only()) continue;
    if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "archive: stopped"};
    const auto archive = archiver_.Archive(*image, stop);
    copied_.insert_or_assign(image->id.text(), archive ? Status(Done{}) : archive.error());
  }
  return remover_.BeginBatch(images, stop);
}

Result<Removal> ArchivingRemover::Remove(const Image& image, const std::stop_token& stop) {
  if (!image.local_only()) return remover_.Remove(image, stop);
  const auto copied = copied_.find(image.id.text());
  if (copied == copied_.end())
    return Error{ErrorKind::kInternal, "it cannot be pulled again and was not archived"};
  if (!copied->second)
    return Error{copied->second.error().kind,
                 "it cannot be pulled again and could not be archived, so it stays: " +
                     copied->second.error().what};
  return remover_.Remove(image, stop);
}

}  // namespace imagesweep
