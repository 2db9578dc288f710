#include "agent/runtime/cri/containers.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace imagesweep::cri {
namespace {

// Source: k8s.io/kubelet/pkg/types/labels.go.
constexpr const char* kPodNamespace = "io.kubernetes.pod.namespace";
constexpr const char* kPodName = "io.kubernetes.pod.name";
constexpr const char* kPodUid = "io.kubernetes.pod.uid";
constexpr const char* kContainerName = "io.kubernetes.container.name";

void AddText(const std::string& text, std::vector<std::string>& texts) {
  if (!text.empty() && std::ranges::find(texts, text) == texts.end()) texts.push_back(text);
}

void AddSpec(const v1::ImageSpec& spec, std::vector<std::string>& texts) {
  AddText(spec.image(), texts);
  AddText(spec.user_specified_image(), texts);
  AddText(spec.image_ref(), texts);
}

// CRI-O repeats the labels of the kubelet as annotations.
template <typename Object>
std::string LabelOf(const Object& object, const char* key) {
  if (const auto it = object.labels().find(key); it != object.labels().end()) return it->second;
  const auto it = object.annotations().find(key);
  return it == object.annotations().end() ? std::string() : it->second;
}

template <typename Object>
std::optional<PodKey> PodByLabels(const Object& object) {
  PodKey pod{LabelOf(object, kPodNamespace), LabelOf(object, kPodName), LabelOf(object, kPodUid)};
  if (pod.uid.empty()) return std::nullopt;
  return pod;
}

// A new map instead of erase: a Protobuf map keeps the memory of its table.
template <typename Map>
void KeepPodLabels(Map& all) {
  Map kept;
  for (const char* key : {kPodNamespace, kPodName, kPodUid, kContainerName})
    if (const auto it = all.find(key); it != all.end()) kept[key] = std::move(it->second);
  all.swap(kept);
}

}  // namespace

v1::Container WithoutUnusedMetadata(v1::Container container) {
  KeepPodLabels(*container.mutable_labels());
  KeepPodLabels(*container.mutable_annotations());
  return container;
}

ContainerDetail ToDetail(const v1::ContainerStatus& status) {
  ContainerDetail detail;
  // Not status.image: containerd puts any tag there that the image currently has.
  AddText(status.image_ref(), detail.images);
  AddText(status.image_id(), detail.images);
  for (const v1::Mount& mount : status.mounts()) {
    ContainerDetail::Volume volume{mount.container_path(), {}};
    AddSpec(mount.image(), volume.images);
    if (!volume.images.empty()) detail.volumes.push_back(std::move(volume));
  }
  return detail;
}

bool AddReferences(const v1::Container& container, const ContainerDetail& detail,
                   std::vector<ImageReference>& references) {
  std::vector<std::string> texts;
  AddSpec(container.image(), texts);
  AddText(container.image_ref(), texts);
  AddText(container.image_id(), texts);
  for (const std::string& text : detail.images) AddText(text, texts);

  ImageUser by{ImageUserKind::kContainer, LabelOf(container, kPodNamespace),
               LabelOf(container, kPodName), LabelOf(container, kContainerName)};
  if (by.container.empty()) by.container = container.metadata().name();
  const std::string& resolved =
      container.image_id().empty() ? container.image_ref() : container.image_id();
  for (const std::string& text : texts) references.push_back({text, resolved, by});

  for (const auto& volume : detail.volumes) {
    ImageUser mounted{ImageUserKind::kImageVolume, by.pod_namespace, by.pod, volume.mount_path};
    for (const std::string& text : volume.images) references.push_back({text, {}, mounted});
  }
  return !texts.empty();
}

std::optional<PodKey> PodOf(const v1::Container& container) {
  return PodByLabels(container);
}

std::optional<PodKey> PodOf(const v1::PodSandbox& sandbox) {
  auto pod = PodByLabels(sandbox);
  if (!pod) return pod;
  if (pod->pod_namespace.empty()) pod->pod_namespace = sandbox.metadata().namespace_();
  if (pod->name.empty()) pod->name = sandbox.metadata().name();
  return pod;
}

}  // namespace imagesweep::cri
