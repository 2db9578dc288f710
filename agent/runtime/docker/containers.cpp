#include "agent/runtime/docker/containers.h"

#include <algorithm>
#include <utility>

namespace imagesweep::docker {
namespace {

std::string LabelOf(const ListedContainer& container, const char* key) {
  const auto it = container.labels.find(key);
  return it == container.labels.end() ? std::string() : it->second;
}

PodKey PodOf(const ListedContainer& container) {
  return {LabelOf(container, "io.kubernetes.pod.namespace"),
          LabelOf(container, "io.kubernetes.pod.name"),
          LabelOf(container, "io.kubernetes.pod.uid")};
}

bool IsSandbox(const ListedContainer& container, const PodKey& pod) {
  return !pod.uid.empty() && LabelOf(container, "io.kubernetes.docker.type") == "podsandbox";
}

std::string NameOf(const ListedContainer& container) {
  std::string name = LabelOf(container, "io.kubernetes.container.name");
  if (!name.empty()) return name;
  const std::string project = LabelOf(container, "com.docker.compose.project");
  const std::string service = LabelOf(container, "com.docker.compose.service");
  if (!project.empty() && !service.empty()) return project + "/" + service;
  return container.name.empty() ? container.id.substr(0, 12) : container.name;
}

void AddText(const std::string& text, std::vector<std::string>& texts) {
  if (!text.empty() && std::ranges::find(texts, text) == texts.end()) texts.push_back(text);
}

}  // namespace

void AddContainer(const ListedContainer& container, const std::vector<std::string>& mounted_ids,
                  RuntimeUse& use) {
  PodKey pod = PodOf(container);
  const bool sandbox = IsSandbox(container, pod);
  ImageUser by{ImageUserKind::kContainer, pod.pod_namespace, pod.name, NameOf(container)};
  if (sandbox) by = {ImageUserKind::kSandbox, pod.pod_namespace, pod.name, {}};

  if (!container.image_id.empty()) use.references.push_back({container.image_id, {}, by});
  if (!container.image.empty() && container.image != container.image_id)
    use.references.push_back({container.image, container.image_id, by});
  const ImageUser volume{ImageUserKind::kImageVolume, by.pod_namespace, by.pod, by.container};
  for (const auto* texts : {&container.mounted_images, &mounted_ids})
    for (const std::string& text : *texts) use.references.push_back({text, {}, volume});

  use.ids.push_back(container.id);
  if (sandbox) {
    AddText(container.image_id, use.sandbox_images);
    AddText(container.image, use.sandbox_images);
    auto& its = container.state == "running" ? use.ready_sandboxes : use.stopped_sandboxes;
    its.push_back(std::move(pod));
    return;
  }
  ++use.containers;
  if (!pod.uid.empty() &&
      std::ranges::find(use.container_pods, pod.uid, &PodKey::uid) == use.container_pods.end())
    use.container_pods.push_back(std::move(pod));
}

}  // namespace imagesweep::docker
