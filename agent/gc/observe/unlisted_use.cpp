#include "agent/gc/observe/unlisted_use.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>

namespace imagesweep {
namespace {

void AddContainers(const layers::LayerGraph& graph, std::span<const Image> images,
                   RuntimeUse& use) {
  const std::unordered_set<std::string_view> known(use.ids.begin(), use.ids.end());
  const layers::MetadataSnapshot& metadata = graph.metadata();
  for (const layers::Container& container : metadata.containers()) {
    if (container.space != metadata.cri_namespace()) continue;
    const std::string id = metadata.keys().Text(container.id);
    if (known.contains(id)) continue;
    ImageReference reference;
    reference.by = {ImageUserKind::kContainer, "", "", id};
    reference.text = metadata.keys().Text(container.image);
    if (!reference.text.empty()) use.references.push_back(reference);
    const layers::Node own =
        graph.index().FindSnapshot(container.space, container.snapshotter, container.snapshot);
    for (const ImagePos image : graph.ImagesOf(own)) {
      reference.text = At(images, image).id.text();
      use.references.push_back(reference);
    }
  }
}

void AddMounts(const layers::LayerGraph& graph, std::span<const Image> images, RuntimeUse& use) {
  for (const layers::LayerGraph::Mount& mount : graph.MountsWithoutContainer()) {
    ImageReference reference;
    reference.by = {ImageUserKind::kMount, "", "", mount.key};
    for (const ImagePos image : mount.images) {
      reference.text = At(images, image).id.text();
      use.references.push_back(reference);
    }
  }
}

}  // namespace

void AddUnlistedUse(const layers::LayerGraph& graph, std::span<const Image> images,
                    RuntimeUse& use) {
  AddContainers(graph, images, use);
  AddMounts(graph, images, use);
}

bool MissesAllContainers(const layers::LayerGraph& graph, const RuntimeUse& use) {
  const layers::MetadataSnapshot& metadata = graph.metadata();
  if (metadata.records_of() != layers::RecordsOf::kOtherStore || use.ids.empty()) return false;
  const std::unordered_set<std::string_view> listed(use.ids.begin(), use.ids.end());
  return std::ranges::none_of(metadata.containers(), [&](const layers::Container& container) {
    return listed.contains(metadata.keys().Text(container.id));
  });
}

}  // namespace imagesweep
