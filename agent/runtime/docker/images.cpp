#include "agent/runtime/docker/images.h"

#include <algorithm>
#include <utility>

namespace imagesweep::docker {
namespace {

constexpr std::string_view kSha256 = "sha256:";

void AddName(ImageName name, std::vector<ImageName>& names) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
}

Image WithNames(const std::string& id, const std::vector<std::string>& tags,
                const std::vector<std::string>& digests) {
  Image image;
  image.id = ImageId(id);
  bool bare_digest = false;
  for (const auto* texts : {&tags, &digests}) {
    for (const std::string& text : *texts) {
      // Docker 29 writes this for an image without content for this platform.
      if (IsFullImageId(text)) {
        bare_digest = bare_digest || text == id;
        continue;
      }
      // Docker leaves out "docker.io/library/", so its names are never ambiguous.
      auto name = ImageName::Parse(ImageName::Parse(text).text());
      auto& names = name.digest().empty() ? image.tags : image.digests;
      AddName(std::move(name), names);
    }
  }
  if (!bare_digest && !InContainerdStore(image)) return image;
  for (const ImageName& tag : image.tags)
    if (!tag.tag().empty())
      AddName(ImageName::Parse(std::string(tag.repository()) + "@" + id), image.digests);
  return image;
}

}  // namespace

bool IsFullImageId(std::string_view text) {
  return text.starts_with(kSha256) && IsFullHexId(text.substr(kSha256.size()));
}

bool InContainerdStore(const Image& image) {
  return std::ranges::any_of(
      image.digests, [&](const ImageName& name) { return name.digest() == image.id.text(); });
}

Image ToImage(const ListedImage& listed) {
  Image image = WithNames(listed.id, listed.tags, listed.digests);
  image.size_bytes = listed.size;
  return image;
}

Image ToImage(const InspectedImage& inspected) {
  return WithNames(inspected.id, inspected.tags, inspected.digests);
}

Result<std::optional<InspectedImage>> Inspect(const Client& client, std::string_view id_or_name,
                                              const std::stop_token& stop) {
  const Request request{.target = "/images/" + Escaped(id_or_name) + "/json",
                        .name = "GET /images/{id}/json"};
  const auto reply = client.Send(request, stop);
  if (!reply) return reply.error();
  if (reply->status == 404) return std::optional<InspectedImage>();
  if (!reply->ok()) return ErrorOf(request, *reply);
  auto image = ParseImage(reply->body);
  if (!image) return std::move(image).error().Wrap(request.name);
  return std::optional<InspectedImage>(*std::move(image));
}

Result<std::optional<Image>> FindById(const Client& client, const ImageId& id,
                                      const std::stop_token& stop) {
  if (!IsFullImageId(id.text()))
    return Error{ErrorKind::kInvalid, "refused: \"" + id.text() + "\" is not a full image ID"};
  const auto inspected = Inspect(client, id.text(), stop);
  if (!inspected) return inspected.error();
  if (!*inspected) return std::optional<Image>();
  if ((*inspected)->id != id.text())
    return Error{ErrorKind::kIncomplete, "GET /images/{id}/json: asked for " + id.text() +
                                             ", got \"" + (*inspected)->id + "\""};
  return std::optional<Image>(ToImage(**inspected));
}

}  // namespace imagesweep::docker
