#include "agent/imagestore/graph/graph.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "agent/imagestore/graph/incremental_reclaim.h"

namespace imagesweep::layers {

namespace {

Certainty CertaintyOf(bool may_be_more, bool may_be_less) {
  if (may_be_more) return may_be_less ? Certainty::kRoughly : Certainty::kAtLeast;
  return may_be_less ? Certainty::kAtMost : Certainty::kExact;
}

void Append(std::string& text, std::string_view more) {
  if (!text.empty()) text += "; ";
  text += more;
}

}  // namespace

std::string_view ToString(Certainty certainty) {
  switch (certainty) {
    case Certainty::kExact:
      return "exactly";
    case Certainty::kAtLeast:
      return "at least";
    case Certainty::kAtMost:
      return "at most";
    case Certainty::kRoughly:
      return "roughly";
  }
  return "unknown";
}

LayerGraph::LayerGraph(MetadataSnapshot metadata, std::span<const Image> images)
    : metadata_(std::make_shared<const MetadataSnapshot>(std::move(metadata))),
      index_(*metadata_),
      attribution_(Attribute(*metadata_, index_, images)),
      objects_(*metadata_, index_, attribution_),
      liveness_(*metadata_, index_, attribution_, objects_) {
  FindUses();
  FindDoubts();
}

// Docker prepares a container's writable snapshot on one of its own, with /etc/hosts and the like.
// Source: moby, daemon/containerd/image_snapshot.go, prepareInitLayer.
bool LayerGraph::IsInitLayer(Node below, const Snapshot& writable) const {
  if (metadata_->records_of() != RecordsOf::kDocker) return false;
  const Snapshot& its = metadata_->snapshots()[below - index_.first_snapshot()];
  return metadata_->keys().Text(its.key) == metadata_->keys().Text(writable.key) + "-init";
}

void LayerGraph::FindUses() {
  const std::vector<Snapshot>& snapshots = metadata_->snapshots();
  std::vector<bool> direct(snapshots.size(), false), beneath(snapshots.size(), false);
  for (Node i = 0; i < snapshots.size(); ++i) {
    if (snapshots[i].kind == SnapshotKind::kCommitted) continue;
    Node at = objects_.Parent(index_.first_snapshot() + i);
    if (at != kNoNode && IsInitLayer(at, snapshots[i])) at = objects_.Parent(at);
    if (at == kNoNode) continue;
    direct[at - index_.first_snapshot()] = true;
    for (; at != kNoNode && !beneath[at - index_.first_snapshot()]; at = objects_.Parent(at))
      beneath[at - index_.first_snapshot()] = true;
  }
  for (const auto& tops : attribution_.tops) {
    SnapshotUse use = SnapshotUse::kNone;
    for (const Node top : tops) {
      const Node at = top - index_.first_snapshot();
      if (direct[at])
        use = SnapshotUse::kDirect;
      else if (beneath[at] && use == SnapshotUse::kNone)
        use = SnapshotUse::kBeneath;
    }
    uses_.push_back(use);
  }
}

void LayerGraph::FindDoubts() {
  for (const Unread& part : metadata_->unread()) {
    if (part.what == Unread::What::kMounts) continue;  // a mount holds no layer longer
    Append(doubts_, part.why);
    may_be_less_ = true;
    // Unread objects of the CRI's own namespace may also be freed.
    const bool ours = part.name_space.empty() || part.name_space == metadata_->namespaces().front();
    if (part.what == Unread::What::kObjects && ours) may_be_more_ = true;
  }
  if (metadata_->disk().kind != FileSystem::kExt4) {
    may_be_more_ = may_be_less_ = true;
    Append(doubts_, "the file system does not count in whole blocks");
  }
  if (metadata_->conditional()) {
    may_be_more_ = true;
    Append(doubts_, "conditional references are assumed to hold");
  }
  for (std::size_t i = 0; i < metadata_->images().size(); ++i) {
    if (!metadata_->images()[i].expired || attribution_.owners[i] == 0) continue;
    may_be_more_ = true;
    Append(doubts_, "an image record has expired and containerd may delete it");
    break;
  }
}

Freed LayerGraph::FreedBy(std::span<const ImagePos> images) const {
  const IncrementalReclaim marginal(*this, images);
  Freed freed{marginal.total(), Certainty::kExact, doubts_};
  bool more = may_be_more_, less = may_be_less_;
  if (freed.space.unsized > 0) {
    more = true;
    Append(freed.why, "the usage of some snapshots is unknown");
  }
  if (freed.space.estimated > 0) {
    more = less = true;
    Append(freed.why, "a snapshotter other than overlayfs");
  }
  bool unknown = false, ambiguous = false, built_on = false;
  for (const ImagePos image : images) {
    const auto& records = attribution_.records[image];
    unknown = unknown || records.empty();
    built_on = built_on || attribution_.built_on[image];
    ambiguous = ambiguous || std::ranges::any_of(records, [&](Node record) {
                  return attribution_.owners[record - index_.first_image()] > 1;
                });
  }
  if (unknown) Append(freed.why, "no record of an image was found");
  if (ambiguous) Append(freed.why, "a record may belong to several images");
  if (built_on)
    Append(freed.why, "Docker keeps the documents of an image that others are built on");
  freed.certainty = CertaintyOf(more || unknown || ambiguous, less || built_on);
  return freed;
}

std::vector<NativeRecord> LayerGraph::Records(ImagePos image) const {
  std::vector<NativeRecord> records;
  if (metadata_->records_of() != RecordsOf::kCri) return records;
  for (const Node node : attribution_.records[image]) {
    const Node at = node - index_.first_image();
    NativeRecord record;
    record.name = metadata_->keys().Text(metadata_->images()[at].name);
    record.target = metadata_->keys().Text(metadata_->images()[at].target);
    record.survives_remove_image = SurvivesRemoveImage(record.name);
    record.ambiguous = attribution_.owners[at] > 1;
    records.push_back(std::move(record));
  }
  std::ranges::sort(records, {}, &NativeRecord::name);
  return records;
}

Node LayerGraph::FindSnapshot(std::string_view snapshotter, std::string_view key) const {
  const std::vector<Snapshot>& snapshots = metadata_->snapshots();
  const auto found = std::ranges::find_if(snapshots, [&](const Snapshot& one) {
    return one.space == metadata_->cri_namespace() &&
           metadata_->snapshotters()[one.snapshotter] == snapshotter &&
           metadata_->keys().Text(one.key) == key;
  });
  return found == snapshots.end()
             ? kNoNode
             : index_.first_snapshot() + static_cast<Node>(found - snapshots.begin());
}

std::vector<ImagePos> LayerGraph::ImagesOf(Node snapshot) const {
  return ImagesOf(snapshot, FindTops());
}

// The nearest images by their own layers, and by their records: a base image may be known by its
// layers, and the image on it only by its record.
std::vector<ImagePos> LayerGraph::ImagesOf(Node snapshot, const Tops& by_record) const {
  std::set<ImagePos> images;
  for (Node at = snapshot; at != kNoNode && images.empty(); at = objects_.Parent(at))
    for (const ImagePos image : Positions(*this))
      if (std::ranges::find(attribution_.tops[image], at) != attribution_.tops[image].end())
        images.insert(image);
  for (Node at = snapshot; at != kNoNode; at = objects_.Parent(at))
    if (const auto found = by_record.find(at); found != by_record.end()) {
      images.insert(found->second.begin(), found->second.end());
      break;
    }
  return {images.begin(), images.end()};
}

// The CRI knows an index by the config of one platform.  Others may be unpacked beside it.
LayerGraph::Tops LayerGraph::FindTops() const {
  Tops tops;
  for (const ImagePos image : Positions(*this)) {
    std::vector<Node> pending;
    std::unordered_set<Node> reached;
    for (const Node record : attribution_.records[image]) {
      const ImageRecord& its = metadata_->images()[record - index_.first_image()];
      pending.push_back(index_.FindBlob(its.space, its.target));
    }
    while (!pending.empty()) {
      const Node blob = pending.back();
      pending.pop_back();
      if (blob == kNoNode || !reached.insert(blob).second) continue;
      for (const Reference& child : metadata_->Of(metadata_->blobs()[blob].references)) {
        if (child.back) continue;
        if (child.type == ObjectType::kContent)
          pending.push_back(index_.FindBlob(metadata_->cri_namespace(), child.key));
        if (child.type == ObjectType::kSnapshot)
          tops[index_.FindSnapshot(metadata_->cri_namespace(), child.snapshotter, child.key)]
              .push_back(image);
      }
    }
  }
  tops.erase(kNoNode);
  return tops;
}

std::vector<LayerGraph::Mount> LayerGraph::MountedSnapshots() const {
  std::vector<Mount> mounts;
  if (metadata_->mounts().empty()) return mounts;
  const Tops tops = FindTops();
  for (const MountedSnapshot& one : metadata_->mounts())
    mounts.push_back({metadata_->keys().Text(one.key),
                      ImagesOf(index_.FindSnapshot(one.space, one.snapshotter, one.key), tops)});
  return mounts;
}

std::vector<LayerGraph::Mount> LayerGraph::MountsWithoutContainer() const {
  std::vector<Mount> mounts = MountedSnapshots();
  // Docker's stopped containers have snapshots, but no record in containerd.
  if (metadata_->records_of() != RecordsOf::kCri) return mounts;
  std::set<std::pair<NamespaceId, Key>> of_containers;
  for (const Container& one : metadata_->containers())
    if (one.space == metadata_->cri_namespace())
      of_containers.emplace(one.snapshotter, one.snapshot);
  const std::vector<Snapshot>& snapshots = metadata_->snapshots();
  std::optional<Tops> tops;  // most nodes have no such mount
  for (Node i = 0; i < snapshots.size(); ++i) {
    const Snapshot& one = snapshots[i];
    if (one.kind == SnapshotKind::kCommitted || one.space != metadata_->cri_namespace() ||
        of_containers.contains({one.snapshotter, one.key}))
      continue;
    if (!tops) tops = FindTops();
    mounts.push_back(
        {metadata_->keys().Text(one.key), ImagesOf(index_.first_snapshot() + i, *tops)});
  }
  return mounts;
}

std::string LayerGraph::WhyMountsAreUnknown() const {
  if (metadata_->records_of() == RecordsOf::kDocker) return "";  // its API lists all mounts
  if (const Unread* part = metadata_->UnreadOfCri(Unread::What::kMounts)) return part->why;
  if (metadata_->records_of() != RecordsOf::kCri) return "";
  const Unread* const part = metadata_->UnreadOfCri(Unread::What::kObjects);
  if (part == nullptr) return "";
  // Without its content, an image has no layers in the graph, so a mount of it shows no image.
  const std::vector<Mount> mounts = MountsWithoutContainer();
  if (mounts.empty()) return "";
  return "the image that snapshot " + mounts.front().key + " mounts is unknown: " + part->why;
}

std::vector<std::string> LayerGraph::Manifests(ImagePos image) const {
  // On the path from a record, every object that refers to the config is one of its manifests.
  std::vector<std::string> manifests;
  const Node config = attribution_.configs[image];
  if (config == kNoNode) return manifests;
  const Key digest = metadata_->blobs()[config].digest;
  for (const Blob& blob : metadata_->blobs()) {
    if (blob.space != metadata_->cri_namespace()) continue;
    const auto children = metadata_->Of(blob.references);
    if (std::ranges::any_of(children, [&](const Reference& its) {
          return its.type == ObjectType::kContent && !its.back && its.key == digest;
        }))
      manifests.push_back(metadata_->keys().Text(blob.digest));
  }
  std::ranges::sort(manifests);
  return manifests;
}

}  // namespace imagesweep::layers
