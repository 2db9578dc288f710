#include "agent/runtime/cri/runtime.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/model/image.h"
#include "agent/runtime/cri/call.h"
#include "agent/runtime/cri/delete.h"
#include "agent/runtime/cri/stubs.h"
#include "agent/runtime/cri/use_reader.h"
#include "agent/runtime/socket.h"

namespace imagesweep::cri {
namespace {

// CRI-O names the registry of every image, but cuts the previous name of an image that lost its tag
// at the first colon: "host:5000/web/front" becomes "host".  Only CRI-O has IDs without "sha256:".
// Source: CRI-O, internal/storage/image.go, makeRepoDigests.
bool IsCutName(const v1::Image& listed, const std::string& text) {
  return IsFullHexId(listed.id()) && text.find('/') == std::string::npos;
}

template <typename Texts>
void AddNames(const v1::Image& listed, const Texts& texts, std::vector<ImageName>& names) {
  for (const std::string& text : texts) {
    if (text.empty() || text.find("<none>") != std::string::npos) continue;
    auto name =
        IsCutName(listed, text) ? ImageName::WithRepositoryAsWritten(text) : ImageName::Parse(text);
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
}

void Merge(const v1::Image& listed, Image& image) {
  AddNames(listed, listed.repo_tags(), image.tags);
  AddNames(listed, listed.repo_digests(), image.digests);
  image.size_bytes = std::max(image.size_bytes, listed.size());
  image.pinned = image.pinned || listed.pinned();
  if (image.runtime_handler.empty()) image.runtime_handler = listed.spec().runtime_handler();
}

Image ToImage(const v1::Image& listed) {
  Image image;
  image.id = ImageId(listed.id());
  Merge(listed, image);
  return image;
}

// Converts the images that the runtime lists. An image without an ID is left out and stays, because
// images are removed by ID only. An ID that is listed twice becomes one image with the names of
// both entries, pinned if either entry is. Docker's "<none>" is not a name and is dropped.
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

}  // namespace

struct Runtime::Memory : RuntimeMemory {};

Runtime::Runtime(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)), memory_(std::make_unique<Memory>()) {}

Runtime::~Runtime() = default;

Result<RuntimeIdentity> Runtime::Identity(const std::stop_token& stop) {
  const std::string& path = connection_->endpoint().path;
  const auto before = SocketInode(path);
  if (!before) return before.error().Wrap("Version");
  const Calls calls(*connection_, connection_->options().read_timeout, stop);
  v1::VersionRequest request;
  request.set_version("v1");
  auto reply = calls.UnaryCall("Version", *connection_->stubs().runtime,
                               &v1::RuntimeService::Stub::Version, request);
  if (!reply) return std::move(reply).error();
  const auto after = SocketInode(path);
  if (!after) return after.error().Wrap("Version");
  if (*before != *after)
    return Error{ErrorKind::kUnavailable, "Version: the runtime restarted during the call"};
  RuntimeIdentity identity{reply->runtime_name(), reply->runtime_version(),
                           connection_->endpoint().Uri(), *after,
                           reply->runtime_name() != "docker"};
  memory_->BelongTo(identity);
  return identity;
}

Result<std::vector<Image>> Runtime::ListImages(const std::stop_token& stop) {
  const Calls calls(*connection_, connection_->options().read_timeout, stop);
  auto& images = *connection_->stubs().images;
  std::vector<v1::Image> listed;
  const auto checked = [&] {
    const auto has_no_id = [](const v1::Image& image) { return image.id().empty(); };
    memory_->images_without_id = static_cast<std::size_t>(std::ranges::count_if(listed, has_no_id));
    return ToImages(listed);
  };
  const auto take = [&listed](auto&& reply) {
    for (auto& image : *reply.mutable_images()) listed.push_back(std::move(image));
  };
  if (memory_->streams_images) {
    auto offered =
        calls.StreamingCall("StreamImages", images, &v1::ImageService::Stub::StreamImages,
                            v1::StreamImagesRequest(), take);
    if (!offered) return std::move(offered).error();
    if (*offered && !listed.empty()) return checked();
    memory_->streams_images = *offered;
  }
  auto reply = calls.UnaryCall("ListImages", images, &v1::ImageService::Stub::ListImages,
                               v1::ListImagesRequest());
  if (!reply) return std::move(reply).error();
  take(*std::move(reply));
  return checked();
}

Result<std::optional<Image>> Runtime::ImageStatus(const ImageId& id, const std::stop_token& stop) {
  // Runtimes resolve shortened IDs, and containerd resolves the empty text to its only image.
  if (!IsFullImageId(id.text()))
    return Error{ErrorKind::kInvalid,
                 "ImageStatus: refused: \"" + id.text() + "\" is not a full image ID"};
  v1::ImageStatusRequest request;
  request.mutable_image()->set_image(id.text());
  const Calls calls(*connection_, connection_->options().read_timeout, stop);
  auto reply = calls.UnaryCall("ImageStatus", *connection_->stubs().images,
                               &v1::ImageService::Stub::ImageStatus, request);
  if (!reply) return std::move(reply).error();
  if (!reply->has_image()) return std::optional<Image>();
  if (reply->image().id() != id.text())
    return Error{ErrorKind::kIncomplete,
                 "ImageStatus: asked for " + id.text() + ", got \"" + reply->image().id() + "\""};
  return std::optional<Image>(ToImage(reply->image()));
}

Result<RuntimeUse> Runtime::ReadUse(const std::stop_token& stop) {
  return UseReader(*connection_, *memory_, stop).Read();
}

Result<RuntimeUse> Runtime::ReadContainers(const std::stop_token& stop) {
  return UseReader(*connection_, *memory_, stop).ReadContainersAlone();
}

Result<std::vector<std::string>> Runtime::ImageFilesystems(const std::stop_token& stop) {
  const Calls calls(*connection_, connection_->options().read_timeout, stop);
  auto reply = calls.UnaryCall("ImageFsInfo", *connection_->stubs().images,
                               &v1::ImageService::Stub::ImageFsInfo, v1::ImageFsInfoRequest());
  if (!reply) return std::move(reply).error();
  std::vector<std::string> mountpoints;
  for (const auto& filesystem : reply->image_filesystems()) {
    const std::string& path = filesystem.fs_id().mountpoint();
    if (!path.empty() && std::ranges::find(mountpoints, path) == mountpoints.end())
      mountpoints.push_back(path);
  }
  return mountpoints;
}

}  // namespace imagesweep::cri
