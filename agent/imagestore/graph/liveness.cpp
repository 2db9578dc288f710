#include "agent/imagestore/graph/liveness.h"

namespace imagesweep::layers {

namespace {

// An overlayfs snapshot is a directory with "fs" and "work".  Two of these directories are not in
// the usage.  Measured: always 2 inodes more than the usage, on ext4 with one block each.
constexpr std::uint64_t kSnapshotInodes = 2;
constexpr std::uint64_t kXfsInodeBytes = 512;  // measured; not in the blocks of files

}  // namespace

Liveness::Liveness(const MetadataSnapshot& metadata, const ObjectIndex& index,
                   const Attribution& attribution, ObjectGraph& graph)
    : metadata_(&metadata),
      index_(&index),
      duplicate_blob_(index.size(), false),
      repeated_(index.size(), false) {
  for (const auto& name : metadata.snapshotters()) estimated_.push_back(name != "overlayfs");
  for (const auto& [node, group] : index.duplicate_blobs()) duplicate_blob_[node] = true;
  for (const auto& [again, first] : index.repeated()) repeated_[again] = true;
  flags_.assign(graph.size(), 0);
  MarkHeld(graph);
  const Node counted = CountReferences(graph, attribution);
  // Collapse does not change which objects are alive, so it does not change this.
  duplicates_alive_.assign(index.duplicate_groups(), 0);
  for (const auto& [node, group] : index.duplicate_blobs())
    if (Alive(node)) ++duplicates_alive_[group];
  // The reference counts of a cycle never become 0.
  if (ReleaseAll(graph, attribution) != counted) {
    std::vector<bool> where(graph.size());
    for (Node node = 0; node < graph.size(); ++node)
      where[node] = (flags_[node] & kCounted) != 0 && !Held(node);
    graph.Collapse(where);
    for (auto& flags : flags_) flags &= static_cast<std::uint8_t>(~kCounted);
    flags_.resize(graph.size(), 0);
    CountReferences(graph, attribution);
    ReleaseAll(graph, attribution);
  }
}

void Liveness::MarkHeld(const ObjectGraph& graph) {
  std::vector<Node> pending;
  for (const Root& root : graph.roots()) {
    if (root.flat) {
      for (Node node = root.node; node != kNoNode && (flags_[node] & kFlat) == 0;) {
        flags_[node] |= kFlat;
        node = index_->IsSnapshot(node) ? graph.Parent(node) : kNoNode;
      }
    } else if (!Held(root.node)) {
      flags_[root.node] |= kHeld;
      pending.push_back(root.node);
    }
  }
  while (!pending.empty()) {
    const Node node = pending.back();
    pending.pop_back();
    for (const Node other : graph.From(node)) {
      if (Held(other)) continue;
      flags_[other] |= kHeld;
      pending.push_back(other);
    }
  }
}

// Counts from all records of images.  Returns the number of nodes reached.
Node Liveness::CountReferences(const ObjectGraph& graph, const Attribution& attribution) {
  counts_.assign(graph.size(), 0);
  std::vector<Node> pending;
  for (Node i = 0; i < attribution.owners.size(); ++i) {
    if (attribution.owners[i] == 0) continue;
    const Node record = index_->first_image() + i;
    counts_[record] = attribution.owners[i];
    flags_[record] |= kCounted;
    pending.push_back(record);
  }
  Node reached = 0;
  while (!pending.empty()) {
    const Node node = pending.back();
    pending.pop_back();
    ++reached;
    for (const Node other : graph.From(node)) {
      if (Held(other)) continue;
      ++counts_[other];
      if ((flags_[other] & kCounted) != 0) continue;
      flags_[other] |= kCounted;
      pending.push_back(other);
    }
  }
  return reached;
}

// Returns the number of nodes that the removal of all images frees.
Node Liveness::ReleaseAll(const ObjectGraph& graph, const Attribution& attribution) {
  std::vector<std::uint32_t> counts = counts_, duplicate_blobs = duplicates_alive_;
  all_ = {};
  std::vector<Node> pending;
  for (Node i = 0; i < attribution.owners.size(); ++i)
    if (attribution.owners[i] > 0) pending.push_back(index_->first_image() + i);
  Node released = 0;
  while (!pending.empty()) {
    const Node node = pending.back();
    pending.pop_back();
    ++released;
    const std::int64_t group = DuplicateGroup(node);
    if (!Stays(node) && (group < 0 || --duplicate_blobs[static_cast<std::size_t>(group)] == 0))
      all_ += SizeOf(node);
    for (const Node other : graph.From(node))
      if (!Held(other) && --counts[other] == 0) pending.push_back(other);
  }
  return released;
}

std::int64_t Liveness::DuplicateGroup(Node node) const {
  if (node >= duplicate_blob_.size() || !duplicate_blob_[node]) return -1;
  return index_->duplicate_blobs().at(node);
}

Reclaim Liveness::SizeOf(Node node) const {
  Reclaim size;
  const FileSystem kind = metadata_->disk().kind;
  const std::uint64_t block = metadata_->disk().block_bytes > 0 ? metadata_->disk().block_bytes : 1;
  if (node < index_->first_snapshot()) {
    size.blobs = 1;
    size.inodes = metadata_->blobs()[node].inodes;
    size.bytes = (metadata_->blobs()[node].bytes + block - 1) / block * block;
  } else if (node < index_->first_image() && !repeated_[node]) {
    const Snapshot& snapshot = metadata_->snapshots()[node - index_->first_snapshot()];
    size.snapshots = 1;
    size.inodes = snapshot.inodes + (snapshot.whole ? 0 : kSnapshotInodes);
    if (snapshot.bytes == Snapshot::kUnread)
      size.unsized = 1;
    else
      size.bytes = snapshot.bytes;
    if (estimated_[snapshot.snapshotter] && !snapshot.whole) size.estimated = 1;
    if (kind == FileSystem::kExt4 && !snapshot.whole) size.bytes += kSnapshotInodes * block;
  }
  if (kind == FileSystem::kXfs) size.bytes += kXfsInodeBytes * size.inodes;
  return size;
}

Reclaim Liveness::Dead() const {
  Reclaim dead;
  std::vector<bool> told(duplicates_alive_.size(), false);
  for (Node node = 0; node < index_->first_image(); ++node) {
    if (Alive(node)) continue;
    if (const std::int64_t group = DuplicateGroup(node); group >= 0) {
      const auto at = static_cast<std::size_t>(group);
      if (duplicates_alive_[at] > 0 || told[at]) continue;
      told[at] = true;
    }
    dead += SizeOf(node);
  }
  return dead;
}

}  // namespace imagesweep::layers
