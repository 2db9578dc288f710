#include "agent/kube/pods/pod_parser.h"

#include <algorithm>
#include <map>
#include <utility>

#include "agent/base/printable_ascii.h"
#include "agent/kube/pods/volumes.h"

namespace imagesweep::kube {
namespace {

struct StatusImages {
  std::string image;
  std::string image_id;
};
using StatusByName = std::map<std::string, StatusImages>;

constexpr struct {
  const char* spec;
  const char* status;
} kKinds[] = {{"containers", "containerStatuses"},
              {"initContainers", "initContainerStatuses"},
              {"ephemeralContainers", "ephemeralContainerStatuses"}};

class Parser {
 public:
  explicit Parser(Pod& pod) : pod_(pod) {}

  Status Containers(const Json& spec, const Json* status) {
    for (const auto& kind : kKinds) {
      StatusByName by_name;
      if (status != nullptr)
        if (auto read = Statuses(*status, kind.status, by_name); !read) return read;
      auto containers = ArrayAt(spec, kind.spec);
      if (!containers) return std::move(containers).error();
      if (*containers == nullptr) continue;
      for (const Json& container : **containers)
        if (auto read = Container(container, by_name); !read) return read;
    }
    return Done{};
  }

  Status Volumes(const Json& spec) {
    auto volumes = ArrayAt(spec, "volumes");
    if (!volumes) return std::move(volumes).error();
    if (*volumes == nullptr) return Done{};
    for (const Json& volume : **volumes) {
      if (!volume.is_object()) return Error{ErrorKind::kIncomplete, "a volume is not an object"};
      auto image = ObjectAt(volume, "image");
      auto name = TextAt(volume, "name");
      if (!image) return std::move(image).error();
      if (!name) return std::move(name).error();
      if (std::string text = CsiImage(volume); !text.empty())
        Add(std::move(text), {}, ImageUserKind::kImageVolume, *name);
      if (*image == nullptr) continue;
      auto reference = TextAt(**image, "reference");
      if (!reference) return std::move(reference).error();
      if (reference->empty())
        return Error{ErrorKind::kIncomplete, "an image volume has no reference"};
      Add(*std::move(reference), {}, ImageUserKind::kImageVolume, *name);
    }
    return Done{};
  }

 private:
  Status Statuses(const Json& status, const char* key, StatusByName& by_name) {
    auto list = ArrayAt(status, key);
    if (!list) return std::move(list).error();
    if (*list == nullptr) return Done{};
    for (const Json& item : **list) {
      if (!item.is_object())
        return Error{ErrorKind::kIncomplete,
                     std::string(key) + " has an entry that is not an object"};
      auto name = TextAt(item, "name");
      auto image = TextAt(item, "image");
      auto image_id = TextAt(item, "imageID");
      for (const auto* text : {&name, &image, &image_id})
        if (!*text) return text->error().Wrap(key);
      // With containerd, the kubelet shows the first tag that the image currently has.
      Add(*image, {}, ImageUserKind::kPod, *name, /*chosen=*/false);
      Add(*image_id, {}, ImageUserKind::kPod, *name, /*chosen=*/false);
      by_name[*name] = {*image, *image_id};
    }
    return Done{};
  }

  Status Container(const Json& container, const StatusByName& by_name) {
    if (!container.is_object())
      return Error{ErrorKind::kIncomplete, "a container is not an object"};
    auto name = TextAt(container, "name");
    auto image = TextAt(container, "image");
    if (!name) return std::move(name).error();
    if (!image) return std::move(image).error();
    if (image->empty()) return Error{ErrorKind::kIncomplete, "a container has no image"};
    const auto status = by_name.find(*name);
    Add(*std::move(image), status == by_name.end() ? std::string() : status->second.image_id,
        ImageUserKind::kPod, *name);
    return Done{};
  }

  void Add(std::string text, std::string resolved, ImageUserKind kind, const std::string& container,
           bool chosen = true) {
    if (text.empty()) return;
    pod_.references.push_back({std::move(text),
                               std::move(resolved),
                               {kind, pod_.key.pod_namespace, pod_.key.name, container},
                               chosen});
  }

  Pod& pod_;
};

// Only reports use this, so an invalid status counts as not ready.
bool IsReady(const Json& status) {
  const auto conditions = ArrayAt(status, "conditions");
  if (!conditions || *conditions == nullptr) return false;
  return std::ranges::any_of(**conditions, [](const Json& condition) {
    return condition.is_object() && condition.value("type", Json()) == "Ready" &&
           condition.value("status", Json()) == "True";
  });
}

Status Parse(const Json& object, Pod& pod) {
  if (!object.is_object()) return Error{ErrorKind::kIncomplete, "it is not an object"};
  auto kind = TextAt(object, "kind");  // absent within a list
  if (!kind) return std::move(kind).error();
  if (!kind->empty() && *kind != "Pod")
    return Error{ErrorKind::kIncomplete, "its kind is " + PrintableAscii(*kind)};
  auto metadata = ObjectAt(object, "metadata");
  auto spec = ObjectAt(object, "spec");
  auto status = ObjectAt(object, "status");
  for (const auto* part : {&metadata, &spec, &status})
    if (!*part) return part->error();
  if (*metadata == nullptr || *spec == nullptr)
    return Error{ErrorKind::kIncomplete, "it has no metadata or no spec"};
  auto name_space = TextAt(**metadata, "namespace");
  auto name = TextAt(**metadata, "name");
  auto uid = TextAt(**metadata, "uid");
  auto version = TextAt(**metadata, "resourceVersion");
  for (const auto* text : {&name_space, &name, &uid, &version})
    if (!*text) return text->error();
  if (name->empty() || name_space->empty() || uid->empty())
    return Error{ErrorKind::kIncomplete, "it has no name, namespace or uid"};
  auto annotations = ObjectAt(**metadata, "annotations");
  if (!annotations) return annotations.error();
  const bool mirror =
      *annotations != nullptr && (*annotations)->contains("kubernetes.io/config.mirror");
  pod.key = {*std::move(name_space), *std::move(name), *std::move(uid), mirror};
  pod.resource_version = *std::move(version);
  if (*status != nullptr) {
    auto phase = TextAt(**status, "phase");
    if (!phase) return std::move(phase).error();
    pod.finished = *phase == "Succeeded" || *phase == "Failed";
    pod.ready = IsReady(**status);
  }
  // The manifest of a static pod is on the node, and the kubelet starts it again. After a graceful
  // shutdown of the node, all static pods are Failed.
  if (pod.finished && !mirror) return Done{};
  auto containers = ArrayAt(**spec, "containers");
  if (!containers) return std::move(containers).error();
  if (*containers == nullptr || (*containers)->empty())
    return Error{ErrorKind::kIncomplete, "it has no containers"};
  Parser parser(pod);
  if (auto read = parser.Containers(**spec, *status); !read) return read;
  return parser.Volumes(**spec);
}

}  // namespace

Keep PodKeep() {
  const Keep container = KeepFields({{"name", {}}, {"image", {}}});
  const Keep container_status = KeepFields({{"name", {}}, {"image", {}}, {"imageID", {}}});
  std::vector<Keep::Field> spec{{"volumes", VolumeKeep()}};
  std::vector<Keep::Field> status{{"phase", {}},
                                  {"conditions", KeepFields({{"type", {}}, {"status", {}}})}};
  for (const auto& kind : kKinds) {
    spec.push_back({kind.spec, container});
    status.push_back({kind.status, container_status});
  }
  return KeepFields(
      {{"kind", {}},
       {"metadata",
        KeepFields({{"namespace", {}},
                    {"name", {}},
                    {"uid", {}},
                    {"resourceVersion", {}},
                    {"annotations", KeepFields({{"kubernetes.io/config.mirror", {}}})}})},
       {"spec", KeepFields(std::move(spec))},
       {"status", KeepFields(std::move(status))}});
}

Result<Pod> ParsePod(const Json& object) {
  Pod pod;
  if (auto parsed = Parse(object, pod); !parsed)
    return parsed.error().Wrap("pod " + PrintableAscii(pod.key.pod_namespace + "/" + pod.key.name));
  return pod;
}

}  // namespace imagesweep::kube
