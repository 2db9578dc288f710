#include "agent/imagestore/graph/layer_chains.h"

#include <algorithm>
#include <unordered_map>

namespace imagesweep::layers {

namespace {

// Lowest first.  Empty: the parents form a cycle.
std::vector<Node> ChainOf(const LayerGraph& graph, Node top) {
  std::vector<Node> chain;
  for (Node node = top; node != kNoNode; node = graph.objects().Parent(node)) {
    if (chain.size() == graph.metadata().snapshots().size()) return {};
    chain.push_back(node);
  }
  std::ranges::reverse(chain);
  return chain;
}

}  // namespace

LayerChains ReadLayerChains(const LayerGraph& graph) {
  const MetadataSnapshot& metadata = graph.metadata();
  LayerChains result;
  result.of_image.resize(graph.size());
  result.has_history.assign(graph.size(), false);
  std::unordered_map<Key, const ImageFacts*> facts_of;
  for (const ImageFacts& facts : metadata.facts()) facts_of[facts.id] = &facts;
  std::vector<std::uint32_t> position(metadata.snapshots().size(), kNoNode);

  for (const ImagePos image : Positions(graph)) {
    const auto& tops = graph.attribution().tops[image];
    if (tops.empty()) continue;
    const std::vector<Node> chain = ChainOf(graph, tops.front());
    const Node config = graph.attribution().configs[image];
    const auto found = facts_of.find(metadata.blobs()[config].digest);
    std::vector<Key> steps;
    const ImageFacts* const facts = found == facts_of.end() ? nullptr : found->second;
    if (facts != nullptr)
      for (const auto& step : facts->history)
        if (!step.empty_layer) steps.push_back(step.created_by);
    const bool fits = !steps.empty() && steps.size() == chain.size();
    result.has_history[image] = fits;
    for (std::size_t depth = 0; depth < chain.size(); ++depth) {
      std::uint32_t& at = position[chain[depth] - graph.index().first_snapshot()];
      if (at == kNoNode) {
        at = static_cast<std::uint32_t>(result.layers.size());
        const Snapshot& snapshot =
            metadata.snapshots()[chain[depth] - graph.index().first_snapshot()];
        LayerUse layer;
        layer.snapshot = chain[depth];
        layer.chain_id = metadata.keys().Text(snapshot.key);
        if (snapshot.bytes != Snapshot::kUnread) layer.bytes = snapshot.bytes;
        result.layers.push_back(std::move(layer));
      }
      LayerUse& layer = result.layers[at];
      if (fits && layer.created_by.empty()) layer.created_by = metadata.keys().Text(steps[depth]);
      if (facts != nullptr && facts->diff_ids.size() == chain.size() && layer.diff_id == kNoKey)
        layer.diff_id = facts->diff_ids[depth];
      layer.images.push_back(image);
      result.of_image[image].push_back(at);
    }
  }
  return result;
}

}  // namespace imagesweep::layers
