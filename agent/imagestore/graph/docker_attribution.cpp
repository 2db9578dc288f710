#include "agent/imagestore/graph/docker_attribution.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace imagesweep::layers {
namespace {

// An index of all platforms has a few dozen manifests; labels may lead anywhere.
constexpr std::size_t kMaxExpanded = 512;

class DockerAttribution {
 public:
  DockerAttribution(const MetadataSnapshot& metadata, const ObjectIndex& index,
                    std::span<const Image> images)
      : metadata_(metadata), index_(index), images_(images) {
    for (const ImagePos at : Positions(images))
      if (const Key id = IdOf(at); id != kNoKey) image_of_.emplace(id, at);
    for (std::uint32_t i = 0; i < metadata.images().size(); ++i)
      if (metadata.images()[i].space == metadata.cri_namespace())
        records_of_[metadata.images()[i].target].push_back(i);
    result_.records.resize(images.size());
    result_.tops.resize(images.size());
    result_.configs.assign(images.size(), kNoNode);
    result_.built_on.assign(images.size(), false);
    result_.owners.assign(metadata.images().size(), 0);
  }

  Attribution Find() && {
    for (const ImagePos at : Positions(images_)) {
      const Key id = IdOf(at);
      if (id == kNoKey) continue;
      AddRecords(at, id);
      AddSteps(at, id);
      std::ranges::sort(result_.records[at]);
      AddConfigs(at, id);
    }
    return std::move(result_);
  }

 private:
  Key IdOf(ImagePos at) const { return metadata_.keys().Find(At(images_, at).id.text()); }

  const std::vector<std::uint32_t>& RecordsAt(Key target) const {
    static const std::vector<std::uint32_t> kNone;
    const auto found = records_of_.find(target);
    return found == records_of_.end() ? kNone : found->second;
  }

  void AddRecords(ImagePos image, Key target) {
    for (const std::uint32_t record : RecordsAt(target)) {
      result_.records[image].push_back(index_.first_image() + record);
      ++result_.owners[record];
    }
  }

  Key ParentOf(Key target) const {
    for (const std::uint32_t record : RecordsAt(target))
      if (const Key parent = metadata_.images()[record].parent; parent != kNoKey) return parent;
    return kNoKey;
  }

  // The steps of its build, up to an image that Docker lists.
  void AddSteps(ImagePos image, Key id) {
    std::unordered_set<Key> seen{id};
    for (Key step = ParentOf(id); step != kNoKey && seen.insert(step).second;
         step = ParentOf(step)) {
      if (const auto listed = image_of_.find(step); listed != image_of_.end()) {
        result_.built_on[listed->second] = true;
        return;
      }
      AddRecords(image, step);
    }
  }

  // Breadth first.  Only configs refer to snapshots.
  void AddConfigs(ImagePos image, Key id) {
    std::vector<Key> pending{id};
    std::unordered_set<Node> seen;
    for (std::size_t next = 0; next < pending.size() && seen.size() < kMaxExpanded; ++next) {
      const Node node = index_.FindBlob(metadata_.cri_namespace(), pending[next]);
      if (node == kNoNode) continue;
      const auto references = metadata_.Of(metadata_.blobs()[node].references);
      if (references.empty() || !seen.insert(node).second) continue;  // without any: a layer
      for (const Reference& child : references) {
        if (child.back) continue;
        if (child.type == ObjectType::kContent) pending.push_back(child.key);
        if (child.type == ObjectType::kSnapshot) AddTop(image, node, child);
      }
    }
  }

  void AddTop(ImagePos image, Node config, const Reference& snapshot) {
    const Node top =
        index_.FindSnapshot(metadata_.cri_namespace(), snapshot.snapshotter, snapshot.key);
    if (top == kNoNode) return;
    if (result_.tops[image].empty()) result_.configs[image] = config;
    result_.tops[image].push_back(top);
  }

  const MetadataSnapshot& metadata_;
  const ObjectIndex& index_;
  const std::span<const Image> images_;
  std::unordered_map<Key, ImagePos> image_of_;                      // by ID
  std::unordered_map<Key, std::vector<std::uint32_t>> records_of_;  // by target
  Attribution result_;
};

}  // namespace

Attribution AttributeDocker(const MetadataSnapshot& metadata, const ObjectIndex& index,
                            std::span<const Image> images) {
  return DockerAttribution(metadata, index, images).Find();
}

}  // namespace imagesweep::layers
