// What the fake daemon answers. Source: moby v20.10, api/server/router.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "tests/support/fake_docker.h"
#include "tests/support/fake_docker_names.h"

namespace imagesweep {

namespace {

using namespace fake_docker;

json ListImages(const FakeEngineNode& node) {
  json list = json::array();
  for (const auto& image : node.images) {
    const bool intermediate =
        image.tags.empty() && image.digests.empty() &&
        std::any_of(node.images.begin(), node.images.end(),
                    [&](const FakeEngineImage& other) { return other.parent == image.id; });
    if (intermediate) continue;
    // Docker's own store up to 28 names a dangling image so.
    const bool dangling = image.tags.empty() && image.digests.empty() && !node.containerd_store;
    json entry = {{"Containers", -1},
                  {"Created", 1735689600},
                  {"Id", image.id},
                  {"Labels", image.labels.empty() ? json() : json(image.labels)},
                  {"ParentId", image.parent},
                  {"RepoDigests", image.digests.empty() ? json() : json(image.digests)},
                  {"RepoTags", image.tags.empty() ? json() : json(image.tags)},
                  {"SharedSize", -1},
                  {"Size", image.size}};
    if (image.shared_size) entry["SharedSize"] = *image.shared_size;
    if (dangling) entry["RepoTags"] = json::array({"<none>:<none>"});
    if (dangling) entry["RepoDigests"] = json::array({"<none>@<none>"});
    list.push_back(std::move(entry));
  }
  return list;
}

FakeEngineReply NoSuchImageToInspect(const FakeEngineNode& node, const std::string& text) {
  const std::string name = Familiar(text);
  if (node.containerd_store) return NoSuchImage(text);
  return FakeEngineReply::Failure(404, "no such image: " + name + ": No such image: " + name);
}

json Inspect(const FakeEngineNode& node, const FakeEngineImage& image) {
  json answer = {{"Id", image.id},
                 {"RepoTags", image.tags},
                 {"RepoDigests", image.digests},
                 {"Parent", image.parent},
                 {"Config", {{"Labels", image.labels.empty() ? json() : json(image.labels)}}},
                 {"Metadata", {{"LastTagTime", image.last_tag_time}}},
                 {"Size", image.size},
                 {"RootFS", {{"Type", "layers"}, {"Layers", image.diff_ids}}}};
  if (!node.containerd_store) return answer;
  if (!image.pulled_from.empty()) answer["Identity"]["Pull"] = json::array();
  for (const auto& repository : image.pulled_from) {
    answer["Identity"]["Pull"].push_back({{"Repository", repository}});
  }
  if (image.built_here) answer["Identity"]["Build"] = {{{"Ref", "r"}}};
  return answer;
}

json ListContainers(FakeEngineNode& node, bool all) {
  json list = json::array();
  for (const auto& container : node.containers) {
    if (!all && container.state != "running" && container.state != "paused") continue;
    json mounts = json::array();
    for (const auto& source : container.mounted_images) {
      mounts.push_back({{"Type", "image"},
                        {"Name", source},
                        {"Source", "/var/lib/docker/rootfs/x"},
                        {"Destination", "/mnt"}});
    }
    // The daemon shows the ID instead of a name that moved on.
    const FakeEngineImage* named = Find(node, container.image);
    const bool moved = named == nullptr || named->id != container.image_id;
    list.push_back(
        {{"Id", container.id},
         {"Names", {"/" + (container.name.empty() ? Short(container.id) : container.name)}},
         {"Image", moved ? container.image_id : container.image},
         {"ImageID", container.image_id},
         {"State", container.state},
         {"Labels", json(container.labels)},
         {"Mounts", std::move(mounts)}});
  }
  return list;
}

json Info(const FakeEngineNode& node) {
  json status = json::array({json::array({"Backing Filesystem", "extfs"})});
  json info = {{"ID", node.id},
               {"Driver", node.driver},
               {"DriverStatus", status},
               {"DockerRootDir", node.root},
               {"ServerVersion", node.version},
               {"Swarm", {{"LocalNodeState", node.swarm ? "active" : "inactive"}}}};
  if (!node.containerd_store) return info;
  info["DriverStatus"] =
      json::array({json::array({"driver-type", "io.containerd.snapshotter.v1"})});
  info["Containerd"] = {{"Address", "/run/containerd/containerd.sock"},
                        {"Namespaces", {{"Containers", "moby"}, {"Plugins", "plugins.moby"}}}};
  return info;
}

FakeEngineReply Pull(FakeEngineNode& node, const FakeEngineRequest& request) {
  if (!node.pull_progress.empty()) return {200, node.pull_progress};
  const auto from = request.query.find("fromImage");
  if (from == request.query.end()) return FakeEngineReply::Failure(400, "fromImage is missing");
  std::string name = from->second;
  if (const auto tag = request.query.find("tag"); tag != request.query.end()) {
    const bool digest = tag->second.starts_with("sha256:");
    if (!tag->second.empty()) name += (digest ? "@" : ":") + tag->second;
  }
  name = Familiar(name);
  const auto found = node.registry.find(name);
  if (found == node.registry.end()) {
    return FakeEngineReply::Failure(
        404, "manifest for " + name + " not found: manifest unknown: manifest unknown");
  }
  const FakeEngineImage image = found->second;
  std::erase_if(node.images, [&](const auto& other) { return other.id == image.id; });
  node.images.push_back(image);
  return {200,
          "{\"status\":\"Pulling from x\"}\r\n{\"status\":\"Status: Downloaded newer image for " +
              name + "\"}\r\n"};
}

FakeEngineReply Load(FakeEngineNode& node) {
  if (!node.load_progress.empty()) return {200, node.load_progress};
  std::string progress;
  for (const auto& image : node.archive_images) {
    std::erase_if(node.images, [&](const auto& other) { return other.id == image.id; });
    node.images.push_back(image);
    progress += "{\"stream\":\"Loaded image ID: " + image.id + "\\n\"}\r\n";
  }
  return {200, progress};
}

}  // namespace

FakeEngineReply FakeEngineReply::Failure(int status, std::string_view message) {
  return {status, json({{"message", message}}).dump() + "\n"};
}

FakeEngineReply Answer(FakeEngineNode& node, const FakeEngineRequest& request) {
  const std::string& path = request.path;
  const bool get = request.method == "GET";
  const auto inner = [&](std::string_view end) {  // of "/images/NAME/end"
    constexpr std::size_t kStart = std::string_view("/images/").size();
    return path.substr(kStart, path.size() - kStart - end.size());
  };
  if (path == "/_ping") return {200, "OK"};
  if (get && path == "/version") {
    return Json({{"Version", node.version},
                 {"ApiVersion", node.api_version},
                 {"MinAPIVersion", node.min_api_version},
                 {"Os", "linux"}});
  }
  if (get && path == "/info") return Json(Info(node));
  if (get && path == "/images/json") return Json(ListImages(node));
  if (get && path == "/images/get") {
    return {200, node.archive, {{"Content-Type", "application/x-tar"}}};
  }
  if (get && path == "/containers/json") {
    const auto all = request.query.find("all");
    return Json(ListContainers(
        node, all != request.query.end() && all->second != "0" && all->second != "false"));
  }
  if (request.method == "POST" && path == "/images/create") return Pull(node, request);
  if (request.method == "POST" && path == "/images/load") return Load(node);
  if (path.starts_with("/images/")) {
    if (get && path.ends_with("/json")) {
      const FakeEngineImage* image = Find(node, inner("/json"));
      return image == nullptr ? NoSuchImageToInspect(node, inner("/json"))
                              : Json(Inspect(node, *image));
    }
    if (request.method == "POST" && path.ends_with("/tag"))
      return Tag(node, inner("/tag"), request);
    if (request.method == "DELETE") return Delete(node, inner(""));
  }
  return FakeEngineReply::Failure(404, "page not found");
}

}  // namespace imagesweep
