#include "agent/imagestore/analysis/bloat.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "agent/imagestore/analysis/instruction.h"

namespace imagesweep::layers {
namespace {

std::vector<std::uint32_t> Heaviest(const LayerChains& chains, std::size_t most) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t at = 0; at < chains.layers.size(); ++at)
    if (chains.layers[at].bytes > 0) order.push_back(at);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(most, order.size()));
  std::partial_sort(order.begin(), end, order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const LayerUse &left = chains.layers[a], &right = chains.layers[b];
    return left.bytes != right.bytes ? left.bytes > right.bytes : left.chain_id < right.chain_id;
  });
  order.erase(end, order.end());
  return order;
}

// Images of one repository under several tags.
void AddManyTags(std::span<const Image> images, std::vector<Advice>& advice) {
  for (const ImagePos at : Positions(images)) {
    std::map<std::string, std::set<std::string>> tags;
    for (const ImageName& name : At(images, at).tags)
      tags[std::string(name.repository())].insert(std::string(name.tag()));
    for (const auto& [repository, its] : tags) {
      if (its.size() < 2) continue;
      Advice line{AdviceKind::kManyTags, 0, repository + ":", {at}};
      for (const auto& tag : its) line.subject += (tag == *its.begin() ? " " : ", ") + tag;
      advice.push_back(std::move(line));
    }
  }
}

// Images with equal layers and different IDs: only a label, a variable or the build time differs.
void AddSameLayers(const Bloat& bloat, std::span<const Image> images, std::vector<Advice>& advice) {
  std::map<std::uint32_t, std::vector<ImagePos>> by_top;  // by the topmost layer
  for (const ImagePos at : Positions(images))
    if (const auto& chain = bloat.chains.of_image[at]; !chain.empty())
      by_top[chain.back()].push_back(at);
  for (const auto& [top, same] : by_top) {
    if (same.size() < 2) continue;
    // All but one could be removed, with the objects that only they have.
    std::uint64_t sum = 0, most = 0;
    const Image* first = &At(images, same.front());
    for (const ImagePos at : same) {
      const std::uint64_t unique = bloat.sharing.images[at].unique.bytes;
      sum += unique;
      most = std::max(most, unique);
      if (At(images, at).display_name() < first->display_name()) first = &At(images, at);
    }
    advice.push_back({AdviceKind::kSameLayers, sum - most, first->display_name(), same});
  }
}

// Lines with several large layers, except those that are already reported as look-alikes.
void AddHeavy(const Bloat& bloat, const BloatLimits& limits, std::vector<Advice>& advice) {
  std::set<std::uint32_t> told;
  for (const LookAlikes& group : bloat.look_alikes)
    told.insert(group.layers.begin(), group.layers.end());
  for (const BuildLine& line : bloat.lines) {
    std::set<ImagePos> images;
    std::uint64_t sum = 0;
    std::size_t heavy = 0;
    for (const std::uint32_t at : line.layers) {
      if (told.contains(at)) continue;
      const LayerUse& layer = bloat.chains.layers[at];
      sum += layer.bytes;
      if (layer.bytes >= limits.min_bytes) ++heavy;
      images.insert(layer.images.begin(), layer.images.end());
    }
    if (heavy < 2) continue;
    // The total size, because the possible savings are unknown.
    advice.push_back({AdviceKind::kHeavyLayer, sum, line.text, {images.begin(), images.end()}});
  }
}

// Advice with known savings comes first.
int Rank(AdviceKind kind) {
  if (kind == AdviceKind::kHeavyLayer) return 2;
  return kind == AdviceKind::kSimilarLayers ? 1 : 0;
}

// The lines that created layers of a known size, the heaviest first.  Two layers belong to one line
// if their instructions have the same shape (InstructionShape).
std::vector<BuildLine> ReadBuildLines(const LayerChains& chains) {
  std::map<std::string, std::vector<std::uint32_t>> by_shape;
  for (std::uint32_t at = 0; at < chains.layers.size(); ++at)
    if (const LayerUse& layer = chains.layers[at]; layer.bytes > 0 && !layer.created_by.empty())
      by_shape[InstructionShape(layer.created_by)].push_back(at);

  std::vector<BuildLine> lines;
  for (auto& [shape, layers] : by_shape) {
    BuildLine line;
    std::set<ImagePos> images;
    std::uint64_t largest = 0;
    for (const std::uint32_t at : layers) {
      const LayerUse& layer = chains.layers[at];
      const auto text = Instruction(layer.created_by);
      if (layer.bytes > largest || (layer.bytes == largest && text < line.text)) {
        largest = layer.bytes;
        line.text = text;
      }
      line.bytes += layer.bytes;
      images.insert(layer.images.begin(), layer.images.end());
    }
    line.layers = std::move(layers);
    line.images.assign(images.begin(), images.end());
    lines.push_back(std::move(line));
  }
  std::ranges::sort(lines, [](const BuildLine& one, const BuildLine& other) {
    return one.bytes != other.bytes ? one.bytes > other.bytes : one.text < other.text;
  });
  return lines;
}

}  // namespace

std::string_view ToString(AdviceKind kind) {
  switch (kind) {
    case AdviceKind::kShareLayer:
      return "share-layer";
    case AdviceKind::kOrderLayers:
      return "order-layers";
    case AdviceKind::kHeavyLayer:
      return "heavy-layer";
    case AdviceKind::kManyTags:
      return "many-tags";
    case AdviceKind::kSameLayers:
      return "same-layers";
    case AdviceKind::kPatchVersions:
      return "patch-versions";
    case AdviceKind::kSimilarLayers:
      return "similar-layers";
  }
  return "unknown";
}

Bloat FindBloat(const LayerGraph& graph, std::span<const Image> images, BloatLimits limits) {
  Bloat bloat;
  bloat.sharing = MeasureSharing(graph);
  bloat.chains = ReadLayerChains(graph);
  bloat.heaviest = Heaviest(bloat.chains, limits.heaviest);
  bloat.lines = ReadBuildLines(bloat.chains);
  bloat.look_alikes = FindLookAlikes(bloat.chains, images, limits);
  for (const ImagePos at : Positions(images))
    if (!bloat.chains.has_history[at] && !bloat.chains.of_image[at].empty())
      ++bloat.without_history;

  for (const LookAlikes& group : bloat.look_alikes) {
    std::set<ImagePos> its;
    for (const std::uint32_t at : group.layers)
      its.insert(bloat.chains.layers[at].images.begin(), bloat.chains.layers[at].images.end());
    bloat.advice.push_back({group.identical          ? AdviceKind::kOrderLayers
                            : group.same_instruction ? AdviceKind::kShareLayer
                                                     : AdviceKind::kSimilarLayers,
                            group.saved,
                            group.instruction,
                            {its.begin(), its.end()}});
  }
  AddManyTags(images, bloat.advice);
  AddSameLayers(bloat, images, bloat.advice);
  AddHeavy(bloat, limits, bloat.advice);
  for (Advice& line : FindPatchVersions(graph, bloat.chains, images))
    bloat.advice.push_back(std::move(line));
  std::ranges::sort(bloat.advice, [](const Advice& a, const Advice& b) {
    if (Rank(a.kind) != Rank(b.kind)) return Rank(a.kind) < Rank(b.kind);
    if (a.bytes != b.bytes) return a.bytes > b.bytes;
    return a.kind != b.kind ? a.kind < b.kind : a.subject < b.subject;
  });
  return bloat;
}

}  // namespace imagesweep::layers
