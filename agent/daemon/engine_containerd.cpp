#include "agent/daemon/engine_containerd.h"

#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "agent/runtime/socket.h"

namespace imagesweep {
namespace {

// Of an image without a tag, and of a step of the classic builder, which the engine does not list.
// Source: moby, daemon/containerd/soft_delete.go.
constexpr std::string_view kDangling = "moby-dangling@";

using Tags = std::set<std::string>;

std::unordered_map<std::string, Tags> TagsById(std::span<const Image> images) {
  std::unordered_map<std::string, Tags> tags;
  for (const Image& image : images) {
    Tags& its = tags[image.id.text()];
    for (const ImageName& tag : image.tags) its.insert(tag.text());
  }
  return tags;
}

Error Differs(const std::string& how) {
  return {ErrorKind::kIncomplete,
          "it is not the containerd of this Docker Engine, or both change: " + how};
}

}  // namespace

std::vector<std::string> ContainerdSockets(std::string_view reported,
                                           std::string_view engine_socket) {
  constexpr std::string_view kVarRun = "/var/run/", kRun = "/run/";
  std::vector<std::string> prefixes;
  for (const std::string_view usual : {"/var/run/docker.sock", "/run/docker.sock"}) {
    if (!engine_socket.ends_with(usual) || !prefixes.empty()) continue;
    prefixes.emplace_back(engine_socket.substr(0, engine_socket.size() - usual.size()));
  }
  if (prefixes.empty() || !prefixes.front().empty()) prefixes.emplace_back();
  std::vector<std::string> paths;
  for (const std::string& prefix : prefixes) {
    paths.push_back(prefix + std::string(reported));
    // A link on the host, which is missing where only /run is mounted.
    if (reported.starts_with(kVarRun))
      paths.push_back(prefix + std::string(kRun) + std::string(reported.substr(kVarRun.size())));
  }
  return paths;
}

Result<EngineContainerd> FindEngineContainerd(const docker::EngineInfo& info,
                                              std::string_view engine_socket) {
  if (!info.containerd_store) return Error{ErrorKind::kNotFound, "Docker has its own image store"};
  if (info.containerd_address.empty() || info.containerd_namespace.empty())
    return Error{ErrorKind::kNotFound,
                 "Docker keeps its images in containerd, and does not report in which one"};
  Error why;
  for (const std::string& path : ContainerdSockets(info.containerd_address, engine_socket)) {
    auto error = ProbeSocket(path);
    if (!error) return EngineContainerd{path, info.containerd_namespace, info.driver};
    if (why.what.empty()) why = *std::move(error);
  }
  return std::move(why).Wrap("Docker keeps its images in containerd");
}

Status CheckIsOfEngine(const layers::MetadataSnapshot& metadata, std::span<const Image> before,
                       std::span<const Image> after) {
  const auto tags_before = TagsById(before), tags_after = TagsById(after);
  std::unordered_map<std::string, Tags> names;  // of records, by target
  for (const layers::ImageRecord& record : metadata.images()) {
    if (record.space != metadata.cri_namespace()) continue;
    const std::string name = metadata.keys().Text(record.name);
    std::string target = metadata.keys().Text(record.target);
    if (!name.starts_with(kDangling) && !tags_before.contains(target) &&
        !tags_after.contains(target))
      return Differs(name + " is an image in containerd only");
    names[std::move(target)].insert(ImageName::Parse(name).text());
  }
  for (const auto& [id, tags] : tags_before) {
    const auto still = tags_after.find(id);
    if (still == tags_after.end()) continue;
    const auto its = names.find(id);
    if (its == names.end()) return Differs("image " + id + " is not in containerd");
    for (const std::string& tag : tags)
      if (still->second.contains(tag) && !its->second.contains(tag))
        return Differs(tag + " is another image in containerd");
  }
  return Done{};
}

}  // namespace imagesweep
