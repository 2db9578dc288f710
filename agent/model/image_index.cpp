#include "agent/model/image_index.h"

#include <algorithm>

namespace imagesweep {
namespace {

std::string_view HexOf(std::string_view digest) {
  const auto colon = digest.find(':');
  return colon == std::string_view::npos ? digest : digest.substr(colon + 1);
}

bool IsHex(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

std::string_view LastSegment(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// "quay.io/team/app" ends with the whole segments of "team/app".
bool EndsWithPath(std::string_view repository, std::string_view path) {
  if (!repository.ends_with(path)) return false;
  return repository.size() == path.size() || repository[repository.size() - path.size() - 1] == '/';
}

// An id, possibly shortened: "sha256:3f…", or bare hexadecimal digits.
std::string_view IdHex(std::string_view text) {
  if (text.starts_with("sha256:")) text.remove_prefix(7);
  return IsHex(text) ? text : std::string_view{};
}

}  // namespace

std::string_view StripTransport(std::string_view text) {
  const auto scheme = text.find("://");
  return scheme == std::string_view::npos ? text : text.substr(scheme + 3);
}

ImageIndex::ImageIndex(std::span<const Image> images) : images_(images) {
  std::size_t tags = 0;
  std::size_t digests = 0;
  for (const Image& image : images) {
    tags += image.tags.size();
    digests += image.digests.size();
  }
  by_id_.reserve(images.size());
  by_tag_.reserve(tags);
  by_last_name_.reserve(tags);
  by_digest_.reserve(digests);
  for (std::uint32_t at = 0; at < images.size(); ++at) {
    by_id_.emplace_back(HexOf(images[at].id.text()), at);
    for (const ImageName& tag : images[at].tags) {
      by_tag_.emplace(tag.text(), at);
      by_last_name_.emplace(LastSegment(tag.repository()), at);
    }
    for (const ImageName& digest : images[at].digests)
      by_digest_.emplace(HexOf(digest.digest()), at);
  }
  std::ranges::sort(by_id_);
}

void ImageIndex::AddById(std::string_view hex, Positions& out) const {
  auto it = std::ranges::lower_bound(by_id_, hex, {}, &decltype(by_id_)::value_type::first);
  for (; it != by_id_.end() && it->first.starts_with(hex); ++it) out.push_back(it->second);
}

void ImageIndex::AddExact(std::string_view text, const ImageName& name, Positions& out) const {
  if (const auto hex = IdHex(text); !hex.empty()) {
    AddById(hex, out);
    const auto [first, last] = by_digest_.equal_range(hex);
    for (auto it = first; it != last; ++it) out.push_back(it->second);
  }
  if (!name.digest().empty()) {
    const auto hex = HexOf(name.digest());
    AddById(hex, out);
    const auto [first, last] = by_digest_.equal_range(hex);
    for (auto it = first; it != last; ++it) out.push_back(it->second);
  }
  const auto [first, last] = by_tag_.equal_range(name.text());
  for (auto it = first; it != last; ++it) out.push_back(it->second);
}

void ImageIndex::AddBySamePath(const ImageName& name, Positions& out) const {
  const auto path = name.short_path();
  const auto [first, last] = by_last_name_.equal_range(LastSegment(path));
  for (auto it = first; it != last; ++it) {
    const bool same = std::ranges::any_of(images_[it->second].tags, [&](const ImageName& tag) {
      return tag.tag() == name.tag() && EndsWithPath(tag.repository(), path);
    });
    if (same) out.push_back(it->second);
  }
}

std::vector<std::uint32_t> ImageIndex::Resolve(const ImageReference& reference) const {
  Positions found;
  const auto text = StripTransport(reference.text);
  if (text.empty()) return found;
  const ImageName name = ImageName::Parse(text);
  AddExact(text, name, found);
  if (name.unqualified() && name.digest().empty()) {
    Positions same_path;
    AddBySamePath(name, same_path);
    // The status names the one it was: then the others are not needed for this container.
    Positions shown;
    if (!reference.resolved.empty()) shown = Resolve(std::string_view(reference.resolved));
    const auto was_shown = [&](std::uint32_t at) { return std::ranges::count(shown, at) > 0; };
    if (std::ranges::any_of(same_path, was_shown))
      std::erase_if(same_path, [&](std::uint32_t at) { return !was_shown(at); });
    found.insert(found.end(), same_path.begin(), same_path.end());
  }
  std::ranges::sort(found);
  const auto repeats = std::ranges::unique(found);
  found.erase(repeats.begin(), repeats.end());
  return found;
}

std::vector<std::uint32_t> ImageIndex::Resolve(std::string_view text) const {
  return Resolve(ImageReference{std::string(text), {}, {}});
}

}  // namespace imagesweep
