#include "agent/runtime/docker/runtime.h"

#include <set>
#include <utility>

#include "agent/runtime/docker/containers.h"
#include "agent/runtime/docker/images.h"
#include "agent/runtime/docker/services.h"
#include "agent/runtime/socket.h"

namespace imagesweep::docker {

Result<EngineInfo> Runtime::Info(const std::stop_token& stop) const {
  const auto version = client_.Get("/version", stop);
  if (!version) return version.error();
  const auto info = client_.Get("/info", stop);
  if (!info) return info.error();
  return ParseInfo(*version, *info);
}

Result<RuntimeIdentity> Runtime::Identity(const std::stop_token& stop) {
  const auto before = SocketInode(client_.path());
  if (!before) return before.error().Wrap("GET /info");
  const auto info = Info(stop);
  if (!info) return info.error();
  const auto after = SocketInode(client_.path());
  if (!after) return after.error().Wrap("GET /info");
  if (*before != *after)
    return Error{ErrorKind::kUnavailable, "GET /info: the daemon restarted during the request"};
  // systemd keeps the socket while it restarts the daemon, maybe with another data directory.
  const bool other = daemon_.With([&](std::string& known) {
    const std::string last = std::exchange(known, info->id + '\n' + info->root);
    return !last.empty() && last != known;
  });
  if (other)
    return Error{ErrorKind::kIncomplete,
                 "GET /info: another daemon, or one with another data directory, answers on this "
                 "socket now; the next run evaluates it"};
  RuntimeIdentity identity;
  identity.name = "docker";
  identity.version = info->version;
  identity.endpoint = "unix://" + client_.path();
  identity.socket_inode = *after;
  return identity;
}

Result<std::vector<Image>> Runtime::ListImages(const std::stop_token& stop) {
  constexpr const char* kTarget = "/images/json?all=0&digests=1";
  const auto body = client_.Get(kTarget, stop);
  if (!body) return body.error();
  const auto listed = ParseImages(*body);
  if (!listed) return listed.error().Wrap("GET /images/json");
  std::vector<Image> images;
  images.reserve(listed->size());
  std::set<std::string_view> ids;
  for (const ListedImage& one : *listed) {
    if (!ids.insert(one.id).second)
      return Error{ErrorKind::kIncomplete, "GET /images/json: lists " + one.id + " twice"};
    images.push_back(ToImage(one));
  }
  if (auto read = MarkThoseThatHadATag(images, stop); !read) return std::move(read).error();
  return images;
}

Status Runtime::MarkThoseThatHadATag(std::vector<Image>& images, const std::stop_token& stop) {
  std::vector<Image*> nameless;
  for (Image& image : images)
    if (image.tags.empty() && image.digests.empty()) nameless.push_back(&image);
  if (nameless.empty()) return Done{};
  const auto info = Info(stop);
  if (!info) return info.error();
  if (info->containerd_store) return Done{};  // its times are no evidence of a tag
  std::set<std::string> still;
  for (Image* const image : nameless) {
    const std::string& id = image->id.text();
    image->had_tag = had_tag_.With([&](const auto& known) { return known.contains(id); });
    if (!image->had_tag) {
      const auto inspected = Inspect(client_, id, stop);
      if (!inspected) return inspected.error();
      image->had_tag = *inspected && (*inspected)->id == id && !(*inspected)->last_tag_time.empty();
    }
    if (image->had_tag) still.insert(id);
  }
  had_tag_.With([&](auto& known) { known = std::move(still); });
  return Done{};
}

Result<std::optional<Image>> Runtime::ImageStatus(const ImageId& id, const std::stop_token& stop) {
  return FindById(client_, id, stop);
}

Result<RuntimeUse> Runtime::ReadUse(const std::stop_token& stop) {
  const auto info = Info(stop);
  if (!info) return info.error();
  std::vector<ImageReference> services;
  if (info->swarm) {
    auto read = ReadServices(client_, stop);
    if (!read) return std::move(read).error();
    services = *std::move(read);
  }
  auto use = ReadContainers(stop);
  if (!use) return use;
  for (ImageReference& reference : services) use->references.push_back(std::move(reference));
  return use;
}

// Only a list after which the daemon was not asked about a container is complete.
Result<RuntimeUse> Runtime::ReadContainers(const std::stop_token& stop) {
  constexpr int kMaxLists = 5;
  for (int list = 0; list < kMaxLists; ++list) {
    const auto body = client_.Get("/containers/json?all=1", stop);
    if (!body) return body.error();
    const auto listed = ParseContainers(*body);
    if (!listed) return listed.error().Wrap("GET /containers/json");
    RuntimeUse use;
    bool asked = false;
    std::set<std::string> mounting;
    for (const ListedContainer& container : *listed) {
      std::vector<std::string> mounted;
      if (!container.mounted_images.empty()) {
        auto found = mounts_.ImagesOf(client_, container, stop);
        if (!found) return std::move(found).error();
        asked = asked || found->asked;
        mounted = std::move(found->ids);
        mounting.insert(container.id);
      }
      AddContainer(container, mounted, use);
    }
    if (asked) continue;
    mounts_.KeepOnly(mounting);
    return use;
  }
  return Error{ErrorKind::kIncomplete, "new containers appear faster than they can be read"};
}

Result<std::vector<std::string>> Runtime::ImageFilesystems(const std::stop_token& stop) {
  auto info = Info(stop);
  if (!info) return std::move(info).error();
  return std::vector<std::string>{std::move(info->root)};
}

Result<std::vector<std::string>> Runtime::DiffIds(const ImageId& id,
                                                  const std::stop_token& stop) const {
  if (!IsFullImageId(id.text()))
    return Error{ErrorKind::kInvalid, "refused: \"" + id.text() + "\" is not a full image ID"};
  auto image = Inspect(client_, id.text(), stop);
  if (!image) return std::move(image).error();
  if (!*image) return std::vector<std::string>();
  return std::move((*image)->diff_ids);
}

}  // namespace imagesweep::docker
