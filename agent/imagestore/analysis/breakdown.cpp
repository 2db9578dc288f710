#include "agent/imagestore/analysis/breakdown.h"

#include <algorithm>

#include <vector>

namespace imagesweep::layers {

namespace {

constexpr std::uint8_t kUnclaimed = 0xFF;

// Assigns every object to the first account that reaches it.
class ObjectOwners {
 public:
  explicit ObjectOwners(const LayerGraph& graph)
      : graph_(graph),
        category_(graph.objects().size(), kUnclaimed),
        entered_(graph.objects().size(), false) {}

  void Claim(Node root, UsageCategory category, bool flat = false) {
    if (flat) {
      for (Node node = root; node != kNoNode; node = ParentOf(node)) {
        if (category_[node] != kUnclaimed) break;
        Take(node, category);
      }
      return;
    }
    Enter(root, category);
    while (!pending_.empty()) {
      const Node node = pending_.back();
      pending_.pop_back();
      for (const Node other : graph_.objects().From(node)) Enter(other, category);
    }
  }

  Breakdown Sum() const {
    Breakdown result;
    const ObjectIndex& index = graph_.index();
    // A file counts for the first account of any of its records.
    std::vector<std::uint8_t> duplicate_blobs(index.duplicate_groups(),
                                              static_cast<std::uint8_t>(UsageCategory::kDead));
    std::vector<Node> one_of(index.duplicate_groups(), kNoNode);
    for (Node node = 0; node < index.first_image(); ++node) {
      const auto category = category_[node] == kUnclaimed
                                ? static_cast<std::uint8_t>(UsageCategory::kDead)
                                : category_[node];
      if (const std::int64_t group = graph_.liveness().DuplicateGroup(node); group >= 0) {
        const auto at = static_cast<std::size_t>(group);
        duplicate_blobs[at] = std::min(duplicate_blobs[at], category);
        one_of[at] = node;
        continue;
      }
      result.accounts[category] += graph_.liveness().SizeOf(node);
    }
    for (std::size_t at = 0; at < duplicate_blobs.size(); ++at)
      result.accounts[duplicate_blobs[at]] += graph_.liveness().SizeOf(one_of[at]);
    return result;
  }

 private:
  Node ParentOf(Node node) const {
    return graph_.index().IsSnapshot(node) ? graph_.objects().Parent(node) : kNoNode;
  }
  void Enter(Node node, UsageCategory category) {
    if (entered_[node]) return;
    entered_[node] = true;
    if (category_[node] == kUnclaimed) Take(node, category);
    pending_.push_back(node);
  }
  void Take(Node node, UsageCategory category) {
    const ObjectIndex& index = graph_.index();
    const MetadataSnapshot& metadata = graph_.metadata();
    if (index.IsSnapshot(node)) {
      const Snapshot& snapshot = metadata.snapshots()[node - index.first_snapshot()];
      if (snapshot.kind != SnapshotKind::kCommitted && snapshot.space == metadata.cri_namespace() &&
          category != UsageCategory::kBuildCache)
        category = UsageCategory::kWritable;
    }
    category_[node] = static_cast<std::uint8_t>(category);
  }

  const LayerGraph& graph_;
  std::vector<std::uint8_t> category_;
  std::vector<bool> entered_;  // a flat lease holds an object without following its references
  std::vector<Node> pending_;
};

// The account of an object that no image of the CRI holds.
UsageCategory CategoryOf(const MetadataSnapshot& metadata, const Root& root) {
  if (metadata.namespaces()[root.space] == "buildkit") return UsageCategory::kBuildCache;
  if (root.space != metadata.cri_namespace()) return UsageCategory::kOtherNamespaces;
  switch (root.kind) {
    case RootKind::kContainer:
      return UsageCategory::kInUse;
    case RootKind::kLease:
      return UsageCategory::kLeased;
    case RootKind::kBuildCache:
      return UsageCategory::kBuildCache;
    case RootKind::kImage:
    case RootKind::kOther:
      return UsageCategory::kOther;
  }
  return UsageCategory::kOther;
}

UsageCategory CategoryOf(const LayerGraph& graph, const Image& image, ImagePos at,
                         const ByImage<bool>& needed) {
  if (graph.Use(at) == SnapshotUse::kDirect || (needed.Has(at) && needed[at]))
    return UsageCategory::kInUse;
  if (image.pinned) return UsageCategory::kPinned;
  return image.tags.empty() ? UsageCategory::kDangling : UsageCategory::kIdle;
}

}  // namespace

std::string_view ToString(UsageCategory category) {
  switch (category) {
    case UsageCategory::kWritable:
      return "writable";
    case UsageCategory::kInUse:
      return "in-use";
    case UsageCategory::kPinned:
      return "pinned";
    case UsageCategory::kIdle:
      return "idle";
    case UsageCategory::kDangling:
      return "dangling";
    case UsageCategory::kLeased:
      return "leased";
    case UsageCategory::kBuildCache:
      return "build-cache";
    case UsageCategory::kOtherNamespaces:
      return "other-namespaces";
    case UsageCategory::kOther:
      return "other";
    case UsageCategory::kDead:
      return "dead";
  }
  return "unknown";
}

Reclaim Breakdown::Total() const {
  Reclaim total;
  for (const Reclaim& category : accounts) total += category;
  return total;
}

Breakdown BreakDown(const LayerGraph& graph, std::span<const Image> images,
                    const ByImage<bool>& needed) {
  ObjectOwners claims(graph);
  const std::vector<Root>& roots = graph.objects().roots();
  for (std::size_t i = 0; i + 1 < kUsageCategories; ++i) {
    const auto category = static_cast<UsageCategory>(i);
    for (const Root& root : roots)
      if (CategoryOf(graph.metadata(), root) == category)
        claims.Claim(root.node, category, root.flat);
    for (const ImagePos at : Positions(images))
      if (CategoryOf(graph, At(images, at), at, needed) == category)
        for (const Node record : graph.attribution().records[at]) claims.Claim(record, category);
  }
  return claims.Sum();
}

}  // namespace imagesweep::layers
