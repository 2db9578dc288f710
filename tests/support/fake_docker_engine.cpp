// What the fake daemon answers. Source: moby v20.10, api/server/router and daemon/images.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "tests/support/fake_docker.h"

namespace imagesweep {

namespace {

using nlohmann::json;

std::string Short(const std::string& id) {
  return id.substr(id.find(':') == std::string::npos ? 0 : id.find(':') + 1, 12);
}

// "nginx:latest" of "docker.io/library/nginx".
std::string Familiar(std::string name) {
  for (const std::string_view start : {"docker.io/", "library/"}) {
    if (name.starts_with(start)) name.erase(0, start.size());
  }
  const auto slash = name.rfind('/');
  if (name.find('@') == std::string::npos &&
      name.find(':', slash == std::string::npos ? 0 : slash) == std::string::npos) {
    name += ":latest";
  }
  return name;
}

std::string Repository(const std::string& name) {
  if (const auto at = name.find('@'); at != std::string::npos) return name.substr(0, at);
  return name.substr(0, name.rfind(':'));
}

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsIdOf(const FakeEngineImage& image, const std::string& text) {
  const std::string hex = image.id.substr(image.id.find(':') + 1);
  return image.id == text || (text.size() >= 4 && hex.starts_with(text));
}

FakeEngineImage* Find(FakeEngineNode& node, const std::string& text) {
  for (auto& image : node.images) {
    if (image.id == text) return &image;
  }
  const std::string name = Familiar(text);
  for (auto& image : node.images) {
    if (Has(image.tags, name) || Has(image.digests, name)) return &image;
  }
  for (auto& image : node.images) {
    if (IsIdOf(image, text)) return &image;
  }
  return nullptr;
}

// At most one tag, and all references are of one repository (isSingleReference of moby).
bool SingleReference(const FakeEngineImage& image) {
  if (image.tags.size() + image.digests.size() <= 1) return true;
  if (image.tags.size() > 1) return false;
  const std::string repository = Repository(image.tags.empty() ? image.digests[0] : image.tags[0]);
  return std::all_of(image.digests.begin(), image.digests.end(),
                     [&](const std::string& name) { return Repository(name) == repository; });
}

FakeEngineReply Json(const json& value, int status = 200) {
  return {status, value.dump() + "\n"};
}

FakeEngineReply NoSuchImage(const std::string& text) {
  return FakeEngineReply::Failure(404, "No such image: " + Familiar(text));
}

FakeEngineReply NoSuchImageToInspect(const FakeEngineNode& node, const std::string& text) {
  const std::string name = Familiar(text);
  if (node.containerd_store) return NoSuchImage(text);
  return FakeEngineReply::Failure(404, "no such image: " + name + ": No such image: " + name);
}

std::string ConflictOf(const FakeEngineNode& node, const FakeEngineImage& image) {
  const std::string start = "conflict: unable to delete " + Short(image.id);
  for (const auto& other : node.images) {
    if (other.parent == image.id) {
      return start + " (cannot be forced) - image has dependent child images";
    }
  }
  for (const auto& user : node.containers) {
    if (user.image_id != image.id) continue;
    if (user.state == "running" || user.state == "paused") {
      return start + " (cannot be forced) - image is being used by running container " +
             Short(user.id);
    }
    return start + " (must be forced) - image is being used by stopped container " + Short(user.id);
  }
  if (image.tags.size() > 1) {
    return start + " (must be forced) - image is referenced in multiple repositories";
  }
  return {};
}

// A removal while it goes on, with what the daemon tells of it.
struct Deletion {
  FakeEngineNode& node;
  FakeEngineImage* image;
  json records = json::array();

  void Untag(std::vector<std::string>& names, const std::string& name) {
    names.erase(std::find(names.begin(), names.end(), name));
    records.push_back({{"Untagged", name}});
  }
  FakeEngineReply Delete() {
    records.push_back({{"Deleted", image->id}});
    node.images.erase(node.images.begin() + (image - node.images.data()));
    return Json(records);
  }
  // The container that keeps the last name, or null.
  const FakeEngineContainer* User() const {
    for (const auto& user : node.containers) {
      const bool mounts =
          std::any_of(user.mounted_images.begin(), user.mounted_images.end(),
                      [&](const std::string& name) { return Find(node, name) == image; });
      if (user.image_id == image->id || (mounts && node.containerd_store)) return &user;
    }
    return nullptr;
  }
};

FakeEngineReply DeleteById(Deletion deletion) {
  FakeEngineImage& image = *deletion.image;
  if (const std::string conflict = ConflictOf(deletion.node, image); !conflict.empty()) {
    return FakeEngineReply::Failure(409, conflict);
  }
  const auto tags = image.tags, digests = image.digests;
  for (const auto& name : tags) deletion.Untag(image.tags, name);
  for (const auto& name : digests) deletion.Untag(image.digests, name);
  return deletion.Delete();
}

// Docker's own store: tags and digests are names.
FakeEngineReply DeleteByName(Deletion deletion, const std::string& text) {
  FakeEngineImage& image = *deletion.image;
  const auto* user = deletion.User();
  if (SingleReference(image) && user != nullptr) {
    return FakeEngineReply::Failure(409, "conflict: unable to remove repository reference \"" +
                                             text + "\" (must force) - container " +
                                             Short(user->id) + " is using its referenced image " +
                                             Short(image.id));
  }
  const std::string name = Familiar(text);
  const bool by_tag = Has(image.tags, name);
  deletion.Untag(by_tag ? image.tags : image.digests, name);
  const auto same = [&](const std::string& other) { return Repository(other) == Repository(name); };
  // A repository without a tag loses its digests, too.
  if (by_tag && std::none_of(image.tags.begin(), image.tags.end(), same)) {
    const auto digests = image.digests;
    for (const auto& digest : digests) {
      if (same(digest)) deletion.Untag(image.digests, digest);
    }
  }
  if (!image.tags.empty() || !image.digests.empty()) return Json(deletion.records);
  // The daemon says nothing of a conflict after an untag: the image stays without a name.
  if (!ConflictOf(deletion.node, image).empty()) return Json(deletion.records);
  return deletion.Delete();
}

// The containerd store: only tags are names, and a digest stands for all tags of its repository.
FakeEngineReply DeleteFromContainerd(Deletion deletion, const std::string& text) {
  FakeEngineImage& image = *deletion.image;
  const std::string name = Familiar(text);
  std::vector<std::string> gone = {name};
  if (!Has(image.tags, name)) {
    gone.clear();
    for (const auto& tag : image.tags) {
      if (Repository(tag) == Repository(name)) gone.push_back(tag);
    }
  }
  const auto* user = deletion.User();
  if (gone.size() == image.tags.size() && user != nullptr) {
    return FakeEngineReply::Failure(409, "conflict: unable to delete " + text +
                                             " (must be forced) - container " + Short(user->id) +
                                             " is using its referenced image " + Short(image.id));
  }
  for (const auto& tag : gone) deletion.Untag(image.tags, tag);
  std::erase_if(image.digests, [&](const std::string& digest) {
    return std::none_of(image.tags.begin(), image.tags.end(), [&](const std::string& tag) {
      return Repository(tag) == Repository(digest);
    });
  });
  return image.tags.empty() ? deletion.Delete() : Json(deletion.records);
}

FakeEngineReply Delete(FakeEngineNode& node, const std::string& text) {
  FakeEngineImage* image = Find(node, text);
  if (image == nullptr) return NoSuchImage(text);
  if (IsIdOf(*image, text)) return DeleteById({node, image});
  return node.containerd_store ? DeleteFromContainerd({node, image}, text)
                               : DeleteByName({node, image}, text);
}

FakeEngineReply Tag(FakeEngineNode& node, const std::string& text,
                    const FakeEngineRequest& request) {
  FakeEngineImage* image = Find(node, text);
  if (image == nullptr) return NoSuchImage(text);
  const auto at = [&](const char* key) {
    const auto found = request.query.find(key);
    return found == request.query.end() ? std::string() : found->second;
  };
  std::string name = at("repo");
  if (name.empty() || name.find('@') != std::string::npos) {
    return FakeEngineReply::Failure(400, "refusing to create a tag with a digest reference");
  }
  if (const std::string tag = at("tag"); !tag.empty()) name += ":" + tag;
  name = Familiar(name);
  for (auto& other : node.images) std::erase(other.tags, name);
  image->tags.push_back(name);
  return {201};
}

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

json Inspect(const FakeEngineNode& node, const FakeEngineImage& image) {
  json answer = {{"Id", image.id},
                 {"RepoTags", image.tags},
                 {"RepoDigests", image.digests},
                 {"Parent", image.parent},
                 {"Config", {{"Labels", image.labels.empty() ? json() : json(image.labels)}}},
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
    // The daemon shows the ID in place of a name that moved on.
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
