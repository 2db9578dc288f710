#include "agent/layers/object_index.h"

namespace imagesweep::layers {

template <typename Matches>
Node ObjectIndex::FindBy(Key key, Matches&& matches) const {
  if (key == kNoKey) return kNoNode;
  for (Node node = heads_[world_->keys().Index(key)]; node != kNoNode; node = next_[node])
    if (matches(node)) return node;
  return kNoNode;
}

ObjectIndex::ObjectIndex(const World& world)
    : world_(&world),
      first_snapshot_(static_cast<Node>(world.blobs().size())),
      first_image_(first_snapshot_ + static_cast<Node>(world.snapshots().size())),
      first_spoken_of_(first_image_ + static_cast<Node>(world.images().size())),
      heads_(world.keys().size(), kNoNode),
      next_(first_spoken_of_, kNoNode) {
  Node node = 0;
  for (const Blob& blob : world.blobs()) {
    const Node same = FindBlob(blob.space, blob.digest);
    Pair(node, blob.digest);
    Insert(node++, blob.digest, same);
  }
  for (const Snapshot& snapshot : world.snapshots()) {
    const Node same = FindSnapshot(snapshot.space, snapshot.snapshotter, snapshot.key);
    Insert(node++, snapshot.key, same);
  }
  for (const ImageRecord& image : world.images()) {
    const Node same = FindImage(image.space, image.name);
    Insert(node++, image.name, same);
  }
  if (!world.has_back_references()) return;
  for (const Blob& blob : world.blobs()) AddSpokenOf(blob.space, blob.references);
  for (const Snapshot& snapshot : world.snapshots())
    AddSpokenOf(snapshot.space, snapshot.references);
  for (const ImageRecord& image : world.images()) AddSpokenOf(image.space, image.references);
}

void ObjectIndex::AddSpokenOf(Space name_space, const References& references) {
  for (const Reference& reference : world_->Of(references)) {
    if (!reference.back || reference.type == ObjectType::kContainer) continue;
    const bool image = reference.type == ObjectType::kImage;
    if (image ? FindName(name_space, reference.key) != kNoNode
              : Find(name_space, reference) != kNoNode)
      continue;
    const Node node = size();
    spoken_of_.push_back({reference, name_space});
    next_.push_back(kNoNode);
    Insert(node, reference.key, kNoNode);
  }
}

Node ObjectIndex::FindSpokenOf(Space name_space, const Reference& what) const {
  return FindBy(what.key, [&](Node node) {
    if (node < first_spoken_of_) return false;
    const SpokenOf& its = spoken_of_[node - first_spoken_of_];
    return its.space == name_space && its.what.type == what.type &&
           its.what.snapshotter == what.snapshotter;
  });
}

Node ObjectIndex::FindName(Space name_space, Key name) const {
  return FindSpokenOf(name_space, {name, 0, ObjectType::kImage, true});
}

void ObjectIndex::Insert(Node node, Key key, Node same) {
  if (same != kNoNode) {
    repeated_.emplace_back(node, same);
    return;
  }
  Node& head = heads_[world_->keys().Index(key)];
  next_[node] = head;
  head = node;
}

void ObjectIndex::Pair(Node node, Key digest) {
  const Node other = heads_[world_->keys().Index(digest)];
  if (other == kNoNode) return;
  const auto [at, fresh] = twins_.try_emplace(other, twin_groups_);
  if (fresh) ++twin_groups_;
  const std::uint32_t group = at->second;
  twins_.emplace(node, group);
}

Node ObjectIndex::FindBlob(Space name_space, Key digest) const {
  return FindBy(digest, [&](Node node) {
    return node < first_snapshot_ && world_->blobs()[node].space == name_space;
  });
}

Node ObjectIndex::FindSnapshot(Space name_space, Space snapshotter, Key key) const {
  return FindBy(key, [&](Node node) {
    if (!IsSnapshot(node)) return false;
    const Snapshot& snapshot = world_->snapshots()[node - first_snapshot_];
    return snapshot.space == name_space && snapshot.snapshotter == snapshotter;
  });
}

Node ObjectIndex::FindImage(Space name_space, Key name) const {
  return FindBy(name, [&](Node node) {
    return IsImage(node) && world_->images()[node - first_image_].space == name_space;
  });
}

Node ObjectIndex::Find(Space name_space, const Reference& reference) const {
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
  return node != kNoNode || spoken_of_.empty() ? node : FindSpokenOf(name_space, reference);
}

}  // namespace imagesweep::layers
