#include "agent/runtime/docker/image_mounts.h"

#include <utility>

#include "agent/model/image_name.h"
#include "agent/runtime/docker/images.h"
#include "agent/runtime/docker/json.h"

namespace imagesweep::docker {
namespace {

// "2026-11-30T12:56:17.000000000" of a time in UTC, so that texts compare as times. Empty: no time,
// or of another zone.
std::string Comparable(std::string_view time) {
  constexpr std::size_t kSeconds = 19, kNanos = 9;
  if (time.size() <= kSeconds || !time.ends_with('Z')) return {};
  std::string fraction(time.substr(kSeconds, time.size() - kSeconds - 1));
  if (fraction.empty()) fraction = ".";
  if (fraction.front() != '.' || fraction.size() > kNanos + 1) return {};
  fraction.resize(kNanos + 1, '0');
  return std::string(time.substr(0, kSeconds)) + fraction;
}

struct Named {
  std::string id, last_tag_time;
  bool in_containerd_store = false;
};

Result<std::optional<Named>> ReadNamed(const Client& client, const std::string& name,
                                       const std::stop_token& stop) {
  const Request request{.target = "/images/" + Escaped(name) + "/json",
                        .name = "GET /images/{name}/json"};
  const auto reply = client.Send(request, stop);
  if (!reply) return reply.error();
  if (reply->status == 404) return std::optional<Named>();
  if (!reply->ok()) return ErrorOf(request, *reply);
  const auto image = ParseImage(reply->body);
  if (!image) return image.error().Wrap(request.name);
  return std::optional<Named>(
      {image->id, image->last_tag_time, InContainerdStore(ToImage(*image))});
}

// A digest means one image for ever, but Docker's own store forgets it with the last tag of its
// repository. The containerd store has the image by its digest alone.
Result<std::optional<Named>> ReadByDigest(const Client& client, const std::string& name,
                                          const std::stop_token& stop) {
  auto named = ReadNamed(client, name, stop);
  if (!named || *named) return named;
  return ReadNamed(client, std::string(ImageName::Parse(name).digest()), stop);
}

Error Unproven(const ListedContainer& container, const std::string& mounted) {
  return {ErrorKind::kIncomplete,
          "container " + container.id.substr(0, 12) + " mounts the image \"" + mounted +
              "\", and Docker does not report which image that name meant when the container was "
              "created; create the container with the ID of the image"};
}

}  // namespace

Result<std::optional<InspectedContainer>> InspectContainer(const Client& client,
                                                           const std::string& id,
                                                           const std::stop_token& stop) {
  const Request request{.target = "/containers/" + Escaped(id) + "/json",
                        .name = "GET /containers/{id}/json"};
  const auto reply = client.Send(request, stop);
  if (!reply) return reply.error();
  if (reply->status == 404) return std::optional<InspectedContainer>();
  if (!reply->ok()) return ErrorOf(request, *reply);
  const auto json = ParseJson(reply->body);
  if (!json) return json.error().Wrap(request.name);
  Fields fields(*json);
  InspectedContainer container{fields.NeededText("Image"), fields.Text("Created")};
  for (const Json& entry : fields.Array("Mounts")) {
    Fields mount(entry);
    if (mount.Text("Type") == "image") container.mounted_images.push_back(mount.NeededText("Name"));
    fields.Check(mount);
  }
  if (!fields.ok()) return fields.error().Wrap(request.name);
  return std::optional<InspectedContainer>(std::move(container));
}

Result<ImageMounts::Found> ImageMounts::ImagesOf(const Client& client,
                                                 const ListedContainer& container,
                                                 const std::stop_token& stop) {
  const auto remembered =
      known_.With([&](const auto& known) -> std::optional<std::vector<std::string>> {
        const auto it = known.find(container.id);
        if (it == known.end()) return std::nullopt;
        return it->second;
      });
  if (remembered) return Found{*remembered, false};
  Found found;
  std::string created;
  bool inspected_it = false;
  for (const std::string& mounted : container.mounted_images) {
    if (IsFullImageId(mounted)) continue;  // its text is a reference
    if (!ImageName::Parse(mounted).digest().empty()) {
      found.asked = true;
      const auto named = ReadByDigest(client, mounted, stop);
      if (!named) return named.error();
      if (!*named) return Unproven(container, mounted);
      found.ids.push_back((*named)->id);
      continue;
    }
    found.asked = true;
    if (!std::exchange(inspected_it, true)) {
      const auto inspected = InspectContainer(client, container.id, stop);
      if (!inspected) return inspected.error();
      if (!*inspected) return found;  // it is gone, and the next list shows that
      created = Comparable((*inspected)->created);
    }
    const auto named = ReadNamed(client, mounted, stop);
    if (!named) return named.error();
    const std::string tagged = *named ? Comparable((*named)->last_tag_time) : std::string();
    if (!*named || !(*named)->in_containerd_store || tagged.empty() || created.empty() ||
        tagged > created)
      return Unproven(container, mounted);
    found.ids.push_back((*named)->id);
  }
  known_.With([&](auto& known) { known.insert_or_assign(container.id, found.ids); });
  return found;
}

void ImageMounts::KeepOnly(const std::set<std::string>& containers) {
  known_.With([&](auto& known) {
    std::erase_if(known, [&](const auto& one) { return !containers.contains(one.first); });
  });
}

}  // namespace imagesweep::docker
