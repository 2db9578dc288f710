#include "agent/model/tag_index.h"

#include <utility>

namespace imagesweep {
namespace {

std::vector<Image> OneEach(const std::vector<ImageName>& tags) {
  std::vector<Image> images;
  images.reserve(tags.size());
  for (const ImageName& tag : tags) {
    Image image;
    image.tags.push_back(tag);
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace

TagIndex::TagIndex(const std::vector<ImageName>& tags)
    : one_each_(OneEach(tags)), index_(one_each_) {}

std::vector<std::uint32_t> TagIndex::NamedBy(const ImageReference& reference) const {
  if (!reference.chosen) return {};
  const auto at = reference.text.find('@');
  if (at == std::string::npos) return index_.Resolve(reference);
  return index_.Resolve(std::string_view(reference.text).substr(0, at));
}

}  // namespace imagesweep
