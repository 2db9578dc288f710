#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agent/imagestore/graph/graph.h"
#include "tests/support/images.h"

namespace imagesweep::layers {

// containerd's metadata as plain texts, from which a MetadataSnapshot and the oracle of the tests
// are made.
struct Spec {
  using Tags = std::map<std::string, std::string>;
  struct ImageOf {
    std::string space, name, target;
    Tags labels;
  };
  struct BlobOf {
    std::string space, digest;
    std::uint64_t bytes = 0;
    Tags labels;
  };
  struct SnapshotOf {
    std::string space, snapshotter, key, parent;
    SnapshotKind kind = SnapshotKind::kCommitted;
    std::optional<Usage> usage;
    Tags labels;
  };
  struct ContainerOf {
    std::string space, id, image, snapshotter, key;
    Tags labels;
  };
  struct LeaseOf {
    std::string space, id;
    Tags labels;
    std::vector<std::pair<std::string, std::string>> resources;  // type, id
  };

  struct FactsOf {
    std::string id;
    std::vector<std::string> diff_ids;
    std::vector<std::pair<std::string, bool>> history;  // created_by, empty layer
  };

  std::string cri = "k8s.io";
  RecordsOf records_of = RecordsOf::kCri;
  SystemTime now = SystemTime(std::chrono::hours(24 * 365 * 50));
  GcRules rules;
  Disk disk{FileSystem::kExt4, 4096};
  std::vector<ImageOf> images;
  std::vector<BlobOf> blobs;
  std::vector<SnapshotOf> snapshots;
  std::vector<ContainerOf> containers;
  std::vector<LeaseOf> leases;
  std::vector<std::pair<std::string, std::string>> ingests;  // namespace, expected digest
  std::vector<std::pair<std::string, Tags>> sandboxes;       // namespace, labels
  std::vector<FactsOf> facts;

  void Shuffle(std::mt19937_64& random) {
    std::ranges::shuffle(images, random);
    std::ranges::shuffle(blobs, random);
    std::ranges::shuffle(snapshots, random);
    std::ranges::shuffle(containers, random);
    std::ranges::shuffle(leases, random);
  }

  MetadataSnapshot Build() const {
    MetadataSnapshot metadata(cri, now, rules, disk);
    metadata.SetRecordsOf(records_of);
    const auto views = [](const Tags& tags) {
      std::vector<Label> labels;
      for (const auto& [key, value] : tags) labels.push_back({key, value});
      return labels;
    };
    for (const auto& its : images)
      metadata.AddImage(its.space, its.name, its.target, views(its.labels));
    for (const auto& its : blobs)
      metadata.AddBlob(its.space, its.digest, its.bytes, {}, views(its.labels));
    for (const auto& its : snapshots)
      metadata.AddSnapshot(its.space, its.snapshotter, its.key, its.parent, its.kind, its.usage,
                           views(its.labels));
    for (const auto& its : containers)
      metadata.AddContainer(its.space, its.id, its.image, its.snapshotter, its.key,
                            views(its.labels));
    for (const auto& its : leases) {
      std::vector<MetadataSnapshot::LeaseResource> resources;
      for (const auto& [type, id] : its.resources) resources.push_back({id, type});
      metadata.AddLease(its.space, its.id, views(its.labels), resources);
    }
    for (const auto& [space, expected] : ingests) metadata.AddIngest(space, "ref", expected);
    for (const auto& [space, labels] : sandboxes) metadata.AddSandbox(space, "s", views(labels));
    for (const auto& its : facts) {
      const std::vector<std::string_view> diff_ids(its.diff_ids.begin(), its.diff_ids.end());
      std::vector<HistoryStep> history;
      for (const auto& [created_by, empty] : its.history) history.push_back({created_by, empty});
      metadata.AddFacts(its.id, {}, diff_ids, history);
    }
    metadata.Trim();
    return metadata;
  }
};

// Pulls and runs images as containerd does: three records, a manifest, a config, and blobs and
// snapshots of the layers, all connected by labels.
class LabNode {
 public:
  struct Layer {
    std::string name;
    std::uint64_t blob_bytes = 0;
    Usage usage;
  };
  static constexpr std::uint64_t kSmall = 1000;  // manifests and configs: one block each

  Spec spec;
  ByImage<Image> images;  // the images that the CRI lists

  // "sha256:…" of the lowest layers together.
  static std::string Chain(const std::vector<Layer>& layers, std::size_t count) {
    std::string name = "c";
    for (std::size_t i = 0; i < count; ++i) name += layers[i].name;
    return Id(name);
  }

  // Returns the position of the image. `compression` makes different manifests of one config.
  ImagePos Pull(const std::string& name, const std::vector<Layer>& layers,
                const std::string& compression = "", std::string space = "k8s.io") {
    const std::string config = Id("cfg" + name), manifest = Id("man" + name + compression);
    Spec::Tags children{{"containerd.io/gc.ref.content.config", config}};
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::string digest = Id("l" + layers[i].name + compression);
      children["containerd.io/gc.ref.content.l." + std::to_string(i)] = digest;
      if (with_layer_blobs && layers[i].blob_bytes > 0)
        AddBlob(space, digest, layers[i].blob_bytes, {});
      AddSnapshot(space, Chain(layers, i + 1), i == 0 ? "" : Chain(layers, i), layers[i].usage);
    }
    AddBlob(space, manifest, kSmall, children);
    AddBlob(space, config, kSmall,
            {{"containerd.io/gc.ref.snapshot.overlayfs", Chain(layers, layers.size())}});
    const std::string reference = "docker.io/library/" + name;
    AddImage(space, reference + ":v1" + compression, manifest);
    AddImage(space, reference + "@" + manifest, manifest);
    if (space != spec.cri) return {};
    AddImage(space, config, manifest);
    for (const ImagePos at : Positions(images))
      if (images[at].id.text() == config) return at;
    Image image = Img(name, {name + ":v1"});
    image.id = ImageId(config);
    images.push_back(image);
    return ImagePos(images.size() - 1);
  }
  // A container on the layers of the image.
  void Run(const std::string& id, const std::vector<Layer>& layers) {
    spec.snapshots.push_back({"k8s.io",
                              "overlayfs",
                              id,
                              Chain(layers, layers.size()),
                              SnapshotKind::kActive,
                              std::nullopt,
                              {}});
    spec.containers.push_back({"k8s.io", id, "", "overlayfs", id, {}});
  }
  void AddImage(const std::string& space, const std::string& name, const std::string& target) {
    for (const auto& its : spec.images)
      if (its.space == space && its.name == name) return;
    spec.images.push_back({space, name, target, {}});
  }
  void AddBlob(const std::string& space, const std::string& digest, std::uint64_t bytes,
               const Spec::Tags& labels) {
    for (const auto& its : spec.blobs)
      if (its.space == space && its.digest == digest) return;
    spec.blobs.push_back({space, digest, bytes, labels});
  }
  void AddSnapshot(const std::string& space, const std::string& key, const std::string& parent,
                   Usage usage) {
    for (const auto& its : spec.snapshots)
      if (its.space == space && its.key == key) return;
    spec.snapshots.push_back(
        {space, "overlayfs", key, parent, SnapshotKind::kCommitted, usage, {}});
  }
  LayerGraph Graph() const { return {spec.Build(), images}; }

  bool with_layer_blobs = true;  // false: discard_unpacked_layers
};

}  // namespace imagesweep::layers
