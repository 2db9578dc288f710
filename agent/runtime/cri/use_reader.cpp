#include "agent/runtime/cri/use_reader.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/runtime/cri/containers.h"
#include "agent/runtime/cri/info_json.h"

namespace imagesweep::cri {
namespace {

void AddNew(std::vector<std::string> texts, std::vector<std::string>& all) {
  for (std::string& text : texts)
    if (std::ranges::find(all, text) == all.end()) all.push_back(std::move(text));
}

// Returns a copy, because another thread may change the map.
template <typename Map>
auto Recall(const Guarded<Map>& known, const std::string& id) {
  return known.With([&](const Map& map) -> std::optional<typename Map::mapped_type> {
    const auto it = map.find(id);
    if (it == map.end()) return std::nullopt;
    return it->second;
  });
}

}  // namespace

UseReader::UseReader(const Connection& connection, RuntimeMemory& memory,
                     const std::stop_token& stop)
    : runtime_(*connection.stubs().runtime),
      memory_(memory),
      calls_(connection, connection.options().read_timeout, stop) {}

Result<RuntimeUse> UseReader::Read() {
  if (auto read = ReadConfig(); !read) return std::move(read).error();
  if (auto read = ReadSandboxes(); !read) return std::move(read).error();
  if (auto read = ReadContainers(); !read) return std::move(read).error();
  if (const std::size_t images = memory_.images_without_id; images > 0)
    use_.warnings.push_back("the runtime lists " + std::to_string(images) +
                            (images == 1 ? " image" : " images") +
                            " without an ID: skipped, since an image is removed by its ID only");
  return std::move(use_);
}

Result<RuntimeUse> UseReader::ReadContainersAlone() {
  if (auto read = ReadContainers(); !read) return std::move(read).error();
  return std::move(use_);
}

Status UseReader::ReadConfig() {
  v1::StatusRequest request;
  request.set_verbose(true);
  auto reply = calls_.UnaryCall("Status", runtime_, &v1::RuntimeService::Stub::Status, request);
  if (!reply) return std::move(reply).error();
  const auto config = reply->info().find("config");
  if (config == reply->info().end()) return Done{};
  if (auto images = SandboxImagesOfConfig(config->second))
    AddNew(*std::move(images), use_.sandbox_images);
  else
    use_.warnings.push_back("Status: info \"config\" " + images.error().what +
                            ": the pause image that it may name is unknown");
  return Done{};
}

Status UseReader::ReadSandboxes() {
  auto reply =
      calls_.UnaryCall("ListPodSandbox", runtime_, &v1::RuntimeService::Stub::ListPodSandbox,
                       v1::ListPodSandboxRequest());
  if (!reply) return std::move(reply).error();
  RuntimeMemory::SandboxImages known;
  for (const v1::PodSandbox& sandbox : reply->items()) {
    auto& its =
        sandbox.state() == v1::SANDBOX_READY ? use_.ready_sandboxes : use_.stopped_sandboxes;
    if (auto pod = PodOf(sandbox)) its.push_back(*std::move(pod));
    use_.ids.push_back(sandbox.id());
    auto images = Recall(memory_.sandboxes, sandbox.id());
    if (!images) {
      auto asked = ImagesOf(sandbox.id());
      if (!asked) return std::move(asked).error();
      images = *std::move(asked);
    }
    if (!images) continue;
    AddNew(*images, use_.sandbox_images);
    known.emplace(sandbox.id(), *std::move(images));
  }
  memory_.sandboxes.With([&](auto& all) { all = std::move(known); });
  return Done{};
}

Result<std::optional<std::vector<std::string>>> UseReader::ImagesOf(const std::string& sandbox) {
  using Images = std::optional<std::vector<std::string>>;
  v1::PodSandboxStatusRequest request;
  request.set_pod_sandbox_id(sandbox);
  request.set_verbose(true);
  auto reply = calls_.UnaryCall("PodSandboxStatus", runtime_,
                                &v1::RuntimeService::Stub::PodSandboxStatus, request);
  if (!reply && reply.error().kind == ErrorKind::kNotFound) return Images();
  if (!reply) return std::move(reply).error();
  const auto info = reply->info().find("info");
  if (info == reply->info().end()) return Images(std::in_place);
  if (auto images = ImagesOfSandbox(info->second)) return Images(*std::move(images));
  use_.warnings.push_back("PodSandboxStatus: info of sandbox " + sandbox +
                          " is not JSON: its pause image is unknown");
  return Images();  // not remembered, so that the next read asks and warns again
}

Result<std::vector<v1::Container>> UseReader::ListContainers() const {
  std::vector<v1::Container> listed;
  const auto take = [&listed](auto&& reply) {
    for (auto& container : *reply.mutable_containers())
      listed.push_back(WithoutUnusedMetadata(std::move(container)));
  };
  if (memory_.streams_containers) {
    auto offered = calls_.StreamingCall("StreamContainers", runtime_,
                                        &v1::RuntimeService::Stub::StreamContainers,
                                        v1::StreamContainersRequest(), take);
    if (!offered) return std::move(offered).error();
    // "No containers" is the one answer that makes every image look unused, so ask with the older
    // call too.
    if (*offered && !listed.empty()) return listed;
    memory_.streams_containers = *offered;
  }
  auto reply =
      calls_.UnaryCall("ListContainers", runtime_, &v1::RuntimeService::Stub::ListContainers,
                       v1::ListContainersRequest());
  if (!reply) return std::move(reply).error();
  take(*std::move(reply));
  return listed;
}

// Reads one container of the list, and its status if it is not remembered.
Status UseReader::ReadContainer(const v1::Container& container, ContainersRead& read) {
  if (container.id().empty())
    return Error{ErrorKind::kIncomplete, "the runtime listed a container without an ID"};
  if (read.known.contains(container.id())) return Done{};
  auto detail = Recall(memory_.details, container.id());
  if (!detail) {
    read.asked = true;
    auto asked = DetailOf(container.id());
    if (!asked) return std::move(asked).error();
    detail = *std::move(asked);
  }
  const bool went = !detail;
  if (went && read.gone.contains(container.id()))
    // A container that is gone must also leave the list. Otherwise it exists, and its mounts are
    // unknown.
    return Error{ErrorKind::kIncomplete,
                 "the runtime lists container " + container.id() + " but has no status for it"};
  if (went) detail.emplace();
  if (!AddReferences(container, *detail, use_.references) && !went)
    return Error{ErrorKind::kIncomplete,
                 "the runtime names no image for container " + container.id()};
  if (auto pod = PodOf(container);
      pod &&
      std::ranges::find(use_.container_pods, pod->uid, &PodKey::uid) == use_.container_pods.end())
    use_.container_pods.push_back(*std::move(pod));
  if (went)
    read.gone.insert(container.id());
  else
    read.known.emplace(container.id(), *std::move(detail));
  return Done{};
}

// Status calls take time, in which containers may appear. Only a list after which no status call
// was needed is complete.
Status UseReader::ReadContainers() {
  constexpr int kMaxLists = 5;
  ContainersRead read;
  for (int list = 0; list < kMaxLists; ++list) {
    auto listed = ListContainers();
    if (!listed) return std::move(listed).error();
    read.asked = false;
    for (const v1::Container& container : *listed)
      if (auto status = ReadContainer(container, read); !status) return status;
    if (read.asked) continue;
    use_.containers = listed->size();
    for (const v1::Container& container : *listed) use_.ids.push_back(container.id());
    memory_.details.With([&](auto& all) { all = std::move(read.known); });
    return Done{};
  }
  return Error{ErrorKind::kIncomplete, "new containers appear faster than they can be read"};
}

Result<std::optional<ContainerDetail>> UseReader::DetailOf(const std::string& container) const {
  using Detail = std::optional<ContainerDetail>;
  v1::ContainerStatusRequest request;
  request.set_container_id(container);
  auto reply = calls_.UnaryCall("ContainerStatus", runtime_,
                                &v1::RuntimeService::Stub::ContainerStatus, request);
  if (!reply && reply.error().kind == ErrorKind::kNotFound) return Detail();
  if (!reply) return std::move(reply).error();
  if (!reply->has_status())
    return Error{ErrorKind::kIncomplete, "ContainerStatus: no status of container " + container};
  return Detail(ToDetail(reply->status()));
}

}  // namespace imagesweep::cri
