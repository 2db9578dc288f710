#include "agent/imagestore/graph/object_index.h"

namespace imagesweep::layers {

template <typename Matches>
Node ObjectIndex::FindBy(Key key, Matches&& matches) const {
  if (key == kNoKey) return kNoNode;
  for (Node node = heads_[metadata_->keys().Index(key)]; node != kNoNode; node = next_[node])
    if (matches(node)) return node;
  return kNoNode;
}

ObjectIndex::ObjectIndex(const MetadataSnapshot& metadata)
    : metadata_(&metadata),
      first_snapshot_(static_cast<Node>(metadata.blobs().size())),
      first_image_(first_snapshot_ + static_cast<Node>(metadata.snapshots().size())),
      first_dangling_ref_(first_image_ + static_cast<Node>(metadata.images().size())),
      heads_(metadata.keys().size(), kNoNode),
      next_(first_dangling_ref_, kNoNode) {
  Node node = 0;
  for (const Blob& blob : metadata.blobs()) {
    const Node same = FindBlob(blob.space, blob.digest);
    Pair(node, blob.digest);
    Insert(node++, blob.digest, same);
  }
  for (const Snapshot& snapshot : metadata.snapshots()) {
    const Node same = FindSnapshot(snapshot.space, snapshot.snapshotter, snapshot.key);
    Insert(node++, snapshot.key, same);
  }
  for (const ImageRecord& image : metadata.images()) {
    const Node same = FindImage(image.space, image.name);
    Insert(node++, image.name, same);
  }
  if (!metadata.has_back_references()) return;
  for (const Blob& blob : metadata.blobs()) AddDanglingRefs(blob.space, blob.references);
  for (const Snapshot& snapshot : metadata.snapshots())
    AddDanglingRefs(snapshot.space, snapshot.references);
  for (const ImageRecord& image : metadata.images()) AddDanglingRefs(image.space, image.references);
}

void ObjectIndex::AddDanglingRefs(NamespaceId name_space, const References& references) {
  for (const Reference& reference : metadata_->Of(references)) {
    if (!reference.back || reference.type == ObjectType::kContainer) continue;
    const bool image = reference.type == ObjectType::kImage;
    if (image ? FindName(name_space, reference.key) != kNoNode
              : Find(name_space, reference) != kNoNode)
      continue;
    const Node node = size();
    dangling_refs_.push_back({reference, name_space});
    next_.push_back(kNoNode);
    Insert(node, reference.key, kNoNode);
  }
}

Node ObjectIndex::FindDanglingRef(NamespaceId name_space, const Reference& what) const {
  return FindBy(what.key, [&](Node node) {
    if (node < first_dangling_ref_) return false;
    const DanglingRef& its = dangling_refs_[node - first_dangling_ref_];
    return its.space == name_space && its.what.type == what.type &&
           its.what.snapshotter == what.snapshotter;
  });
}

Node ObjectIndex::FindName(NamespaceId name_space, Key name) const {
  return FindDanglingRef(name_space, {name, 0, ObjectType::kImage, true});
}

void ObjectIndex::Insert(Node node, Key key, Node same) {
  if (same != kNoNode) {
    repeated_.emplace_back(node, same);
    return;
  }
  Node& head = heads_[metadata_->keys().Index(key)];
  next_[node] = head;
  head = node;
}

void ObjectIndex::Pair(Node node, Key digest) {
  const Node other = heads_[metadata_->keys().Index(digest)];
  if (other == kNoNode) return;
  const auto [at, fresh] = duplicate_blobs_.try_emplace(other, duplicate_groups_);
  if (fresh) ++duplicate_groups_;
  const std::uint32_t group = at->second;
  duplicate_blobs_.emplace(node, group);
}

Node ObjectIndex::FindBlob(NamespaceId name_space, Key digest) const {
  return FindBy(digest, [&](Node node) {
    return node < first_snapshot_ && metadata_->blobs()[node].space == name_space;
  });
}

Node ObjectIndex::FindSnapshot(NamespaceId name_space, NamespaceId snapshotter, Key key) const {
  return FindBy(key, [&](Node node) {
    if (!IsSnapshot(node)) return false;
    const Snapshot& snapshot = metadata_->snapshots()[node - first_snapshot_];
    return snapshot.space == name_space && snapshot.snapshotter == snapshotter;
  });
}

Node ObjectIndex::FindImage(NamespaceId name_space, Key name) const {
  return FindBy(name, [&](Node node) {
    return IsImage(node) && metadata_->images()[node - first_image_].space == name_space;
  });
}

Node ObjectIndex::Find(NamespaceId name_space, const Reference& reference) const {
  Node node = kNoNode;
  switch (reference.type) {
    case ObjectType::kContent:
      node = FindBlob(name_space, reference.key);
      break;
    case ObjectType::kSnapshot:
      node = FindSnapshot(name_space, reference.snapshotter, reference.key);
      break;
    case ObjectType::kImage:
      node = FindImage(name_space, reference.key);
      break;
    case ObjectType::kContainer:
      return kNoNode;
  }
  return node != kNoNode || dangling_refs_.empty() ? node : FindDanglingRef(name_space, reference);
}

}  // namespace imagesweep::layers
