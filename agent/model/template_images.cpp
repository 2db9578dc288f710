#include "agent/model/template_images.h"

#include <algorithm>
#include <utility>

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
void AddDigestPaths(std::span<const Image> images, const Add& add) {
  for (const ImagePos at : Positions(images))
    for (const ImageName& digest : At(images, at).digests)
      if (!HasTagBeside(At(images, at), digest)) AddEnds(digest.repository(), at, add);
}

// In whole segments.
bool EndsWithPath(std::string_view repository, std::string_view path) {
  return repository.ends_with(path) && (repository.size() == path.size() ||
                                        repository[repository.size() - path.size() - 1] == '/');
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

TemplateImages::TemplateImages(std::span<const Image> images,
                               ByImage<std::span<const ImageName>> lost_tags,
                               bool short_name_aliases)
    : images_(images),
      lost_tags_(std::move(lost_tags)),
      by_tagged_path_(MapOf([&](const auto& add) { AddTaggedPaths(images, add); })),
      by_digest_path_(MapOf([&](const auto& add) { AddDigestPaths(images, add); })) {
  if (short_name_aliases) by_tag_ = MapOf([&](const auto& add) { AddTags(images, add); });
}

void TemplateImages::FindInto(std::string_view text, std::vector<ImagePos>& found) const {
  found.clear();
  const ImageName name = ImageName::Parse(StripTransport(text));
  const std::string_view tag = name.tag();
  if (tag.empty()) return;
  const std::string_view tagged_path = WithoutRegistry(name.text());
  const std::string_view path = tagged_path.substr(0, tagged_path.size() - tag.size() - 1);
  by_digest_path_.Find(path, found);
  std::erase_if(found, [&](ImagePos at) { return !MayBePinned(at, path, tag); });
  by_tagged_path_.Find(tagged_path, found);
  if (by_tag_ && name.unqualified()) by_tag_->Find(tag, found);
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
}

// Whether a pin of `tag` in a repository with this path may mean the image: not if, in each such
// repository, the image is seen to have lost the tag to another one.
bool TemplateImages::MayBePinned(ImagePos at, std::string_view path, std::string_view tag) const {
  if (!lost_tags_.Has(at) || lost_tags_[at].empty()) return true;
  const auto has_it_now = [&](const ImageName& lost) {
    std::vector<ImagePos> ending_so;  // also mirrors of the repository
    by_tagged_path_.Find(lost.text(), ending_so);
    return std::ranges::any_of(ending_so, [&](ImagePos other) {
      const Image& its = At(images_, other);
      return other != at && !its.local_only() &&
             std::ranges::find(its.tags, lost) != its.tags.end();
    });
  };
  const auto moved = [&](const ImageName& digest) {
    return std::ranges::any_of(lost_tags_[at], [&](const ImageName& lost) {
      return lost.tag() == tag && lost.repository() == digest.repository() && has_it_now(lost);
    });
  };
  const Image& image = At(images_, at);
  return std::ranges::any_of(image.digests, [&](const ImageName& digest) {
    return EndsWithPath(digest.repository(), path) && !HasTagBeside(image, digest) &&
           !moved(digest);
  });
}

std::string HowNameMayChange(std::string_view text, bool short_name_aliases) {
  const bool by_alias = short_name_aliases && ImageName::Parse(StripTransport(text)).unqualified();
  return std::string(text) +
         (by_alias ? ", which admission or a short-name alias may change to this name"
                   : ", which admission may change to this name");
}

}  // namespace imagesweep
