#include "agent/runtime/cri/images.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

namespace imagesweep::cri {
namespace {

template <typename Texts>
void AddNames(const Texts& texts, std::vector<ImageName>& names) {
  for (const std::string& text : texts) {
    if (text.empty() || text.find("<none>") != std::string::npos) continue;
    auto name = ImageName::Parse(text);
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
}

void Merge(const v1::Image& listed, Image& image) {
  AddNames(listed.repo_tags(), image.tags);
  AddNames(listed.repo_digests(), image.digests);
  image.size_bytes = std::max(image.size_bytes, listed.size());
  image.pinned = image.pinned || listed.pinned();
  if (image.runtime_handler.empty()) image.runtime_handler = listed.spec().runtime_handler();
}

}  // namespace

Image ToImage(const v1::Image& listed) {
  Image image;
  image.id = ImageId(listed.id());
  Merge(listed, image);
  return image;
}

std::vector<Image> ToImages(const std::vector<v1::Image>& listed) {
  std::vector<Image> images;
  images.reserve(listed.size());
  std::unordered_map<std::string, std::size_t> position;
  for (const v1::Image& one : listed) {
    if (one.id().empty()) continue;  // RuntimeUse::warnings reports it
    const auto [at, is_new] = position.try_emplace(one.id(), images.size());
    if (is_new)
      images.push_back(ToImage(one));
    else
      Merge(one, images[at->second]);
  }
  return images;
}

}  // namespace imagesweep::cri
