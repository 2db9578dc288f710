#include "agent/model/image_index.h"

#include <algorithm>

namespace imagesweep {
namespace {

constexpr std::size_t kFullHex = 64;
// The length of a short ID as runtimes print it.  Fewer digits are a name.
constexpr std::size_t kFewestIdDigits = 12;
constexpr std::size_t kMaxIdDigits = 128;  // sha512
constexpr std::string_view kSha256 = "sha256:";

std::string_view HexOf(std::string_view digest) {
  const auto colon = digest.find(':');
  return colon == std::string_view::npos ? digest : digest.substr(colon + 1);
}

std::string_view LastSegment(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// "quay.io/team/app" ends with the complete segments of "team/app".
bool EndsWithPath(std::string_view repository, std::string_view path) {
  if (!repository.ends_with(path)) return false;
  return repository.size() == path.size() || repository[repository.size() - path.size() - 1] == '/';
}

// An ID, possibly shortened: "sha256:3f…", or bare hexadecimal digits.  For other algorithms only
// a whole ID, because "app:3f" is a tag.
std::string_view IdHex(std::string_view text, std::size_t fewest = kFewestIdDigits) {
  if (text.starts_with("sha256:")) text.remove_prefix(7);
  if (const auto rest = HexOf(text); rest.size() >= kFullHex) text = rest;
  const bool id = text.size() >= fewest && text.size() <= kMaxIdDigits && IsHex(text);
  return id ? text : std::string_view{};
}

// True if the runtime resolved this text and does not report the result.  Even one digit may then
// be an ID.
bool OnlyTextOfAContainer(const ImageReference& reference) {
  return reference.by.kind == ImageUserKind::kContainer && reference.resolved.empty();
}

// True for a name with a tag and a registry that has no other form.  Such a name does not change
// when parsed, so a lookup of the text is enough.  Most names of a cluster's workloads are of this
// kind, and resolve to no image of this node.
bool IsNormalised(std::string_view text) {
  const auto registry = text.substr(0, text.find('/'));
  if (registry.size() == text.size() || registry.find_first_of(".:") == std::string_view::npos ||
      registry == "docker.io" || registry == "index.docker.io")
    return false;
  const auto colon = text.find(':', text.rfind('/'));
  return colon != std::string_view::npos && colon + 1 < text.size() &&
         text.find('@') == std::string_view::npos && IdHex(text).empty();
}

std::size_t TagsOf(std::span<const Image> images) {
  std::size_t tags = 0;
  for (const Image& image : images) tags += image.tags.size();
  return tags;
}

std::size_t DigestsOf(std::span<const Image> images) {
  std::size_t digests = 0;
  for (const Image& image : images) digests += image.digests.size();
  return digests;
}

}  // namespace

std::string_view StripTransport(std::string_view text) {
  const auto scheme = text.find("://");
  return scheme == std::string_view::npos ? text : text.substr(scheme + 3);
}

ImageIndex::ImageIndex(std::span<const Image> images, bool short_name_aliases)
    : images_(images),
      short_name_aliases_(short_name_aliases),
      by_id_(images.size()),
      by_tag_(TagsOf(images)),
      by_digest_(DigestsOf(images)) {
  for (const ImagePos at : Positions(images)) {
    by_id_.Add(HexOf(At(images, at).id.text()), at);
    for (const ImageName& tag : At(images, at).tags) by_tag_.Add(tag.text(), at);
    for (const ImageName& digest : At(images, at).digests)
      by_digest_.Add(HexOf(digest.digest()), at);
  }
}

// Adds images by the digits of an ID or of a repo digest.  Shortened digits may match several IDs.
bool ImageIndex::AddByDigest(std::string_view hex, Found& out) const {
  const bool by_id = by_id_.Find(hex, out);
  const bool by_digest = by_digest_.Find(hex, out);
  if (by_id || by_digest) return true;
  if (hex.size() >= kFullHex) return false;
  for (const ImagePos at : Positions(images_))
    if (HexOf(At(images_, at).id.text()).starts_with(hex)) out.push_back(at);
  return false;
}

void ImageIndex::AddExact(std::string_view text, const ImageName& name, Found& out) const {
  if (const auto hex = IdHex(text); !hex.empty()) AddByDigest(hex, out);
  if (!name.digest().empty()) AddByDigest(HexOf(name.digest()), out);
  by_tag_.Find(name.text(), out);
}

void ImageIndex::AddBySamePath(const ImageName& name, Found& out) const {
  std::call_once(last_name_made_, [this] {
    by_last_name_ = std::make_unique<StringMultimap>(TagsOf(images_));
    for (const ImagePos at : Positions(images_))
      for (const ImageName& tag : At(images_, at).tags)
        by_last_name_->Add(LastSegment(tag.repository()), at);
  });
  const auto path = name.short_path();
  Found candidates;
  by_last_name_->Find(LastSegment(path), candidates);
  for (const auto at : candidates) {
    const bool same = std::ranges::any_of(At(images_, at).tags, [&](const ImageName& tag) {
      return tag.tag() == name.tag() && EndsWithPath(tag.repository(), path);
    });
    if (same) out.push_back(at);
  }
}

// Adds images by texts that are already normalised: a full ID or digest, or a normalised name,
// which has a registry and is not ambiguous.
bool ImageIndex::AddQuickly(std::string_view text, Found& out) const {
  const auto at = text.find('@');
  const auto digest = at == std::string_view::npos ? text : text.substr(at + 1);
  // A text that only looks like a digest is not found here, and the caller parses it.
  if (digest.size() == kSha256.size() + kFullHex && digest.starts_with(kSha256))
    return AddByDigest(digest.substr(kSha256.size()), out);
  // Not a name whose tag has the form of a digest.
  if (text.size() == kFullHex && IsHex(text)) return AddByDigest(text, out);
  return at == std::string_view::npos && IdHex(text).empty() && by_tag_.Find(text, out);
}

// If the status shows the image, this container does not need those of other registries.
void ImageIndex::AddUnqualified(const ImageReference& reference, const ImageName& name,
                                Found& out) const {
  Found shown;
  if (!reference.resolved.empty()) shown = Resolve(std::string_view(reference.resolved));
  const auto was_shown = [&](ImagePos at) { return std::ranges::count(shown, at) > 0; };
  Found same_path;
  AddBySamePath(name, same_path);
  if (std::ranges::any_of(same_path, was_shown))
    std::erase_if(same_path, [&](ImagePos at) { return !was_shown(at); });
  out.insert(out.end(), same_path.begin(), same_path.end());
  // A template may lead there too, but does not name it (TemplateImages).
  if (short_name_aliases_ && !reference.by.pod.empty()) AddByAlias(name, out);
}

// An alias may lead to each repository.  The status of the container does not show to which one: it
// may still be that of the image before an update, and CRI-O names an image that lost this tag by
// its other names.
void ImageIndex::AddByAlias(const ImageName& name, Found& out) const {
  const auto may_be_meant = [&](const ImageName& tag) { return tag.tag() == name.tag(); };
  for (const ImagePos at : Positions(images_))
    if (std::ranges::any_of(At(images_, at).tags, may_be_meant)) out.push_back(at);
}

void ImageIndex::ResolveInto(const ImageReference& reference, Found& found) const {
  found.clear();
  const auto text = StripTransport(reference.text);
  if (text.empty()) return;
  if (!AddQuickly(text, found) && !IsNormalised(text)) {
    const ImageName name = ImageName::Parse(text);
    AddExact(text, name, found);
    if (name.unqualified() && name.digest().empty()) {
      if (OnlyTextOfAContainer(reference))
        if (const auto hex = IdHex(text, 1); !hex.empty()) AddByDigest(hex, found);
      AddUnqualified(reference, name, found);
    }
  }
  if (found.size() < 2) return;
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
}

std::vector<ImagePos> ImageIndex::Resolve(const ImageReference& reference) const {
  Found found;
  ResolveInto(reference, found);
  return found;
}

std::vector<ImagePos> ImageIndex::Resolve(std::string_view text) const {
  return Resolve(ImageReference{std::string(text), {}, {}});
}

}  // namespace imagesweep
