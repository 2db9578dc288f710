#include "agent/imagestore/graph/object_graph.h"

#include <algorithm>
#include <set>

namespace imagesweep::layers {

ObjectGraph::ObjectGraph(const MetadataSnapshot& metadata, const ObjectIndex& index,
                         const Attribution& attribution)
    : first_snapshot_(index.first_snapshot()) {
  const Sources from{metadata, index, attribution};
  AddEdges(from);
  AddRoots(from);
  AddRootsOfObjects(from);
}

// kNoNode: dangling.
Node ObjectGraph::Sources::Resolve(NamespaceId space, const Reference& reference) const {
  const Node node = index.Find(space, reference);
  return node != kNoNode && Removable(node) ? index.FindName(space, reference.key) : node;
}

void ObjectGraph::AddEdges(const Sources& from) {
  const MetadataSnapshot& metadata = from.metadata;
  const ObjectIndex& index = from.index;
  std::vector<std::pair<Node, Node>> backward;  // edges from back references of the target
  offsets_.reserve(index.size() + 1);
  targets_.reserve(metadata.blobs().size() + metadata.snapshots().size() +
                   metadata.images().size());
  parents_.reserve(metadata.snapshots().size());

  const auto add = [&](Node node, NamespaceId space, const References& references) {
    for (const Reference& reference : metadata.Of(references)) {
      const bool name = reference.back && reference.type == ObjectType::kImage;
      const Node other =
          name ? index.FindName(space, reference.key) : from.Resolve(space, reference);
      if (other == kNoNode || other == node) continue;
      if (!reference.back)
        targets_.push_back(other);
      else if (!from.Removable(node))
        backward.emplace_back(other, node);
    }
  };
  Node node = 0;
  for (const Blob& blob : metadata.blobs()) {
    offsets_.push_back(static_cast<std::uint32_t>(targets_.size()));
    add(node++, blob.space, blob.references);
  }
  for (const Snapshot& snapshot : metadata.snapshots()) {
    offsets_.push_back(static_cast<std::uint32_t>(targets_.size()));
    const Node parent =
        index.Find(snapshot.space, {snapshot.parent, snapshot.snapshotter, ObjectType::kSnapshot});
    if (parent != kNoNode && parent != node) targets_.push_back(parent);
    parents_.push_back(parent != node && index.IsSnapshot(parent) ? parent : kNoNode);
    add(node++, snapshot.space, snapshot.references);
  }
  for (const ImageRecord& image : metadata.images()) {
    offsets_.push_back(static_cast<std::uint32_t>(targets_.size()));
    const Node target = index.Find(image.space, {image.target, 0, ObjectType::kContent});
    if (target != kNoNode) targets_.push_back(target);
    const Node name = index.FindName(image.space, image.name);
    if (name != kNoNode) targets_.push_back(name);
    add(node++, image.space, image.references);
  }
  offsets_.resize(index.size() + 1, static_cast<std::uint32_t>(targets_.size()));
  for (const auto& [again, first] : index.repeated())
    if (!from.Removable(again)) backward.emplace_back(first, again);
  if (!backward.empty()) Merge(std::move(backward));
}

// Merges further edges into the sorted ones.
void ObjectGraph::Merge(std::vector<std::pair<Node, Node>> edges) {
  std::ranges::sort(edges);
  std::vector<std::uint32_t> offsets;
  std::vector<Node> targets;
  offsets.reserve(offsets_.size());
  targets.reserve(targets_.size() + edges.size());
  auto next = edges.begin();
  for (Node node = 0; node < size(); ++node) {
    offsets.push_back(static_cast<std::uint32_t>(targets.size()));
    const auto present = From(node);
    targets.insert(targets.end(), present.begin(), present.end());
    for (; next != edges.end() && next->first == node; ++next) targets.push_back(next->second);
  }
  offsets.push_back(static_cast<std::uint32_t>(targets.size()));
  offsets_ = std::move(offsets);
  targets_ = std::move(targets);
}

void ObjectGraph::AddRoots(const Sources& from) {
  const MetadataSnapshot& metadata = from.metadata;
  const ObjectIndex& index = from.index;
  const auto add = [&](Node node, NamespaceId space, RootKind kind, bool flat = false) {
    if (node != kNoNode) roots_.push_back({node, space, kind, flat});
  };
  for (const Container& its : metadata.containers()) {
    add(index.Find(its.space, {its.snapshot, its.snapshotter, ObjectType::kSnapshot}), its.space,
        RootKind::kContainer);
    for (const Reference& reference : metadata.Of(its.references))
      if (!reference.back) add(from.Resolve(its.space, reference), its.space, RootKind::kContainer);
  }
  for (const Holder& its : metadata.holders()) {
    RootKind kind = RootKind::kOther;
    if (its.kind == Holder::Kind::kLease)
      kind = its.build_cache ? RootKind::kBuildCache : RootKind::kLease;
    for (const Reference& reference : metadata.Of(its.references)) {
      if (reference.back) continue;
      const Node node = from.Resolve(its.space, reference);
      // A flat lease does not hold objects with back references to a name.
      if (its.flat && node != kNoNode && node >= index.first_image() && !index.IsImage(node))
        continue;
      add(node, its.space, kind, its.flat);
      // The flat lease of an image holds only its target.
      if (its.flat && node != kNoNode && index.IsImage(node))
        add(index.FindBlob(its.space, metadata.images()[node - index.first_image()].target),
            its.space, kind, true);
    }
  }
  for (Node i = 0; i < metadata.images().size(); ++i) {
    const Node node = index.first_image() + i;
    if (!metadata.images()[i].expired && !from.Removable(node))
      add(node, metadata.images()[i].space, RootKind::kImage);
  }
}

// gc.root, and back references to containers, which are always there.
void ObjectGraph::AddRootsOfObjects(const Sources& from) {
  const MetadataSnapshot& metadata = from.metadata;
  std::set<std::pair<NamespaceId, Key>> containers;
  for (const Container& its : metadata.containers()) containers.emplace(its.space, its.id);
  const auto add = [&](Node node, NamespaceId space, bool root, const References& references) {
    if (root) roots_.push_back({node, space, RootKind::kOther, false});
    if (!metadata.has_back_references()) return;
    for (const Reference& reference : metadata.Of(references))
      if (reference.type == ObjectType::kContainer && containers.contains({space, reference.key}))
        roots_.push_back({node, space, RootKind::kContainer, false});
  };
  Node node = 0;
  for (const Blob& its : metadata.blobs()) add(node++, its.space, its.root, its.references);
  for (const Snapshot& its : metadata.snapshots()) add(node++, its.space, its.root, its.references);
  for (const ImageRecord& its : metadata.images()) {
    if (!from.Removable(node)) add(node, its.space, false, its.references);
    ++node;
  }
}

void ObjectGraph::Collapse(const std::vector<bool>& where) {
  constexpr std::uint32_t kUnseen = 0;
  const Node nodes = size();
  std::vector<std::uint32_t> order(nodes, kUnseen), lowest(nodes, 0), at(nodes, 0);
  std::vector<Node> stack, path;
  std::vector<Node> stands_for(nodes, kNoNode);  // member -> the node of its cycle
  std::vector<std::vector<Node>> cycles;
  std::vector<bool> on_stack(nodes, false);
  std::uint32_t clock = 0;
  const auto enter = [&](Node node) {
    order[node] = lowest[node] = ++clock;
    on_stack[node] = true;
    stack.push_back(node);
    path.push_back(node);
  };
  for (Node start = 0; start < nodes; ++start) {
    if (!where[start] || order[start] != kUnseen) continue;
    enter(start);
    while (!path.empty()) {
      const Node node = path.back();
      const auto next = From(node);
      if (at[node] < next.size()) {
        const Node other = next[at[node]++];
        if (!where[other]) continue;
        if (order[other] == kUnseen)
          enter(other);
        else if (on_stack[other])
          lowest[node] = std::min(lowest[node], order[other]);
        continue;
      }
      path.pop_back();
      if (!path.empty()) lowest[path.back()] = std::min(lowest[path.back()], lowest[node]);
      if (lowest[node] != order[node]) continue;
      std::vector<Node> members;
      do {
        members.push_back(stack.back());
        on_stack[stack.back()] = false;
        stack.pop_back();
      } while (members.back() != node);
      if (members.size() == 1) continue;
      for (const Node member : members)
        stands_for[member] = nodes + static_cast<Node>(cycles.size());
      cycles.push_back(std::move(members));
    }
  }
  std::vector<std::uint32_t> offsets;
  std::vector<Node> targets;
  const auto copy = [&](Node from) {
    for (const Node to : From(from)) {
      const Node stand = stands_for[to];
      if (stand == kNoNode)
        targets.push_back(to);
      else if (stand != stands_for[from])
        targets.push_back(stand);
    }
  };
  for (Node node = 0; node < nodes; ++node) {
    offsets.push_back(static_cast<std::uint32_t>(targets.size()));
    if (stands_for[node] == kNoNode) copy(node);
  }
  for (const auto& members : cycles) {
    offsets.push_back(static_cast<std::uint32_t>(targets.size()));
    targets.insert(targets.end(), members.begin(), members.end());
    for (const Node member : members) copy(member);
  }
  offsets.push_back(static_cast<std::uint32_t>(targets.size()));
  offsets_ = std::move(offsets);
  targets_ = std::move(targets);
}

}  // namespace imagesweep::layers
