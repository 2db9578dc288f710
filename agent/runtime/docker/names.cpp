#include "agent/runtime/docker/names.h"

#include <utility>

#include "agent/model/image_name.h"
#include "agent/runtime/docker/images.h"

namespace imagesweep::docker {

Status AddName(const Client& client, const std::string& id, const std::string& name,
               const std::stop_token& stop) {
  const ImageName parsed = ImageName::Parse(name);
  if (!IsFullImageId(id) || parsed.tag().empty())
    return Error{ErrorKind::kInvalid, "refused: cannot give \"" + id + "\" the name " + name};
  // The daemon would move the name. It has no call that leaves an existing name alone, so a name
  // that appears between these two requests is moved.
  const auto there = Inspect(client, parsed.text(), stop);
  if (!there) return there.error().Wrap(name);
  if (*there) return Done{};  // of this image, or now of another one
  const Request request{.method = "POST",
                        .target = "/images/" + Escaped(id) + "/tag?repo=" +
                                  Escaped(parsed.repository()) + "&tag=" + Escaped(parsed.tag()),
                        .name = "POST /images/{id}/tag"};
  const auto reply = client.Send(request, stop);
  if (!reply) return reply.error().Wrap(name);
  if (!reply->ok()) return ErrorOf(request, *reply).Wrap(name);
  return Done{};
}

Status EngineNameRestorer::RestoreNames(const Image& image, const std::vector<std::string>& names,
                                        const std::stop_token& stop) {
  for (const std::string& name : names) {
    if (ImageName::Parse(name).tag().empty()) continue;
    if (auto added = AddName(client_, image.id.text(), name, stop); !added) return added;
  }
  return Done{};
}

}  // namespace imagesweep::docker
