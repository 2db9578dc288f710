#include "agent/imagestore/graph/incremental_reclaim.h"

namespace imagesweep::layers {

IncrementalReclaim::IncrementalReclaim(const LayerGraph& graph, std::span<const ImagePos> removed)
    : graph_(&graph),
      counts_(graph.liveness().counts()),
      duplicates_alive_(graph.liveness().duplicates_alive()),
      removed_(graph.size(), false) {
  for (const ImagePos image : removed) Add(image);
}

Reclaim IncrementalReclaim::Gain(ImagePos image) {
  if (removed_[image]) return {};
  const Reclaim freed = Release(image);
  for (const Node node : dropped_) ++counts_[node];
  for (const std::size_t group : duplicates_dropped_) ++duplicates_alive_[group];
  return freed;
}

Reclaim IncrementalReclaim::Add(ImagePos image) {
  if (removed_[image]) return {};
  removed_[image] = true;
  const Reclaim freed = Release(image);
  total_ += freed;
  return freed;
}

void IncrementalReclaim::Drop(Node node) {
  dropped_.push_back(node);
  if (--counts_[node] == 0) pending_.push_back(node);
}

Reclaim IncrementalReclaim::Release(ImagePos image) {
  dropped_.clear();
  duplicates_dropped_.clear();
  pending_.clear();
  Reclaim freed;
  for (const Node record : graph_->attribution().records[image]) Drop(record);
  while (!pending_.empty()) {
    const Node node = pending_.back();
    pending_.pop_back();
    Count(node, freed);
    for (const Node other : graph_->objects().From(node))
      if (!graph_->liveness().Held(other)) Drop(other);
  }
  return freed;
}

// Releases a node that no image holds any longer.
void IncrementalReclaim::Count(Node node, Reclaim& freed) {
  const Liveness& liveness = graph_->liveness();
  if (liveness.Stays(node)) return;
  if (const std::int64_t group = liveness.DuplicateGroup(node); group >= 0) {
    const auto at = static_cast<std::size_t>(group);
    duplicates_dropped_.push_back(at);
    if (--duplicates_alive_[at] > 0) return;
  }
  freed += liveness.SizeOf(node);
}

}  // namespace imagesweep::layers
