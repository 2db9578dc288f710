#include "agent/model/template_images.h"

#include <algorithm>

#include "agent/model/image_index.h"

namespace imagesweep {
namespace {

// Calls add(name, image) for each name by which an image can be found, and for each of its ends of
// whole segments: "quay.io/shop/app:1", "shop/app:1", "app:1".
template <typename Add>
void AddEnds(std::string_view name, ImagePos at, const Add& add) {
  add(name, at);
  for (auto slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/')) {
    name.remove_prefix(slash + 1);
    add(name, at);
  }
}

template <typename Add>
void AddTags(std::span<const Image> images, const Add& add) {
  for (const ImagePos at : Positions(images))
    for (const ImageName& tag : At(images, at).tags) add(tag.tag(), at);
}

template <typename Add>
void AddTaggedPaths(std::span<const Image> images, const Add& add) {
  for (const ImagePos at : Positions(images))
    for (const ImageName& tag : At(images, at).tags) AddEnds(tag.text(), at, add);
}

// Beside a tag of the same repository, a digest is of a pull by that tag.
bool HasTagBeside(const Image& image, const ImageName& digest) {
  return std::ranges::any_of(image.tags, [&](const ImageName& tag) {
    return !tag.tag().empty() && tag.repository() == digest.repository();
  });
}

template <typename Add>
void AddDigestPaths(std::span<const Image> images, const ByImage<bool>& lost_tag, const Add& add) {
  for (const ImagePos at : Positions(images)) {
    if (lost_tag.Has(at) && lost_tag[at]) continue;
    for (const ImageName& digest : At(images, at).digests)
      if (!HasTagBeside(At(images, at), digest)) AddEnds(digest.repository(), at, add);
  }
}

// A map of what `add_all` adds.  It adds everything twice, because the map needs its size first.
template <typename AddAll>
StringMultimap MapOf(const AddAll& add_all) {
  std::size_t entries = 0;
  add_all([&](std::string_view, ImagePos) { ++entries; });
  StringMultimap map(entries);
  add_all([&](std::string_view text, ImagePos at) { map.Add(text, at); });
  return map;
}

// The path, with the tag.  Mirrors of Docker Hub have its official images with and without
// library/.
std::string_view WithoutRegistry(std::string_view name) {
  constexpr std::string_view kOfficial = "docker.io/library/";
  return name.substr(name.starts_with(kOfficial) ? kOfficial.size() : name.find('/') + 1);
}

}  // namespace

TemplateImages::TemplateImages(std::span<const Image> images, const ByImage<bool>& lost_tag,
                               bool short_name_aliases)
    : by_tagged_path_(MapOf([&](const auto& add) { AddTaggedPaths(images, add); })),
      by_digest_path_(MapOf([&](const auto& add) { AddDigestPaths(images, lost_tag, add); })) {
  if (short_name_aliases) by_tag_ = MapOf([&](const auto& add) { AddTags(images, add); });
}

void TemplateImages::FindInto(std::string_view text, std::vector<ImagePos>& found) const {
  found.clear();
  const ImageName name = ImageName::Parse(StripTransport(text));
  const std::string_view tag = name.tag();
  if (tag.empty()) return;
  const std::string_view tagged_path = WithoutRegistry(name.text());
  by_tagged_path_.Find(tagged_path, found);
  by_digest_path_.Find(tagged_path.substr(0, tagged_path.size() - tag.size() - 1), found);
  if (by_tag_ && name.unqualified()) by_tag_->Find(tag, found);
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
}

std::string HowNameMayChange(std::string_view text, bool short_name_aliases) {
  const bool by_alias = short_name_aliases && ImageName::Parse(StripTransport(text)).unqualified();
  return std::string(text) +
         (by_alias ? ", which admission or a short-name alias may change to this name"
                   : ", which admission may change to this name");
}

}  // namespace imagesweep
