#include <algorithm>
#include <map>
#include <set>

#include "agent/imagestore/analysis/bloat.h"
#include "agent/imagestore/analysis/instruction.h"

namespace imagesweep::layers {

namespace {

// The repository of the first name in alphabetical order.  The ID if there is no name.
std::string RepositoryOf(const Image& image) {
  const auto& names = image.tags.empty() ? image.digests : image.tags;
  const auto first = std::ranges::min_element(names);
  return first == names.end() ? image.id.text() : std::string(first->repository());
}

// The part that is known to be the same in layers of about the same size.
enum class Same { kContent, kInstruction, kShape };

class Finder {
 public:
  Finder(const LayerChains& chains, std::span<const Image> images) : chains_(chains) {
    for (const Image& image : images) repositories_.push_back(RepositoryOf(image));
  }

  // Several versions of one repository do not count, because retention handles them.  One layer in
  // several repositories is already shared.  Returns false if it added no group.
  bool Add(std::vector<std::uint32_t> layers, Same same, std::vector<LookAlikes>& out) const {
    std::map<std::string, std::uint64_t> largest;  // by repository
    std::set<std::string> all;
    for (const std::uint32_t at : layers) {
      const LayerUse& layer = chains_.layers[at];
      std::string home;
      for (const ImagePos image : layer.images) {
        all.insert(repositories_[image]);
        if (home.empty() || repositories_[image] < home) home = repositories_[image];
      }
      std::uint64_t& bytes = largest[home];
      bytes = std::max(bytes, layer.bytes);
    }
    if (layers.size() < 2 || largest.size() < 2) return false;
    LookAlikes found;
    found.instruction = Instruction(chains_.layers[layers.front()].created_by);
    found.layers = std::move(layers);
    found.repositories.assign(all.begin(), all.end());
    found.identical = same == Same::kContent;
    found.same_instruction = same == Same::kInstruction;
    std::uint64_t most = 0;
    for (const auto& [repository, bytes] : largest) {
      found.saved += bytes;
      most = std::max(most, bytes);
    }
    found.saved -= most;
    out.push_back(std::move(found));
    return true;
  }

  // `layers`: of one shape and about the same size, the largest first.  Builds of one instruction
  // become a separate group, and the largest of them represents this group among the other layers.
  void AddSimilar(std::span<const std::uint32_t> layers, std::vector<LookAlikes>& out) const {
    std::map<std::string_view, std::vector<std::uint32_t>> by_text;
    for (const std::uint32_t at : layers)
      by_text[Instruction(chains_.layers[at].created_by)].push_back(at);
    std::vector<std::uint32_t> rest;
    for (const auto& [text, its] : by_text) {
      const bool added = AreBuildsOfOneInstruction(its) && Add(its, Same::kInstruction, out);
      rest.insert(rest.end(), its.begin(), added ? its.begin() + 1 : its.end());
    }
    std::ranges::sort(rest, [&](std::uint32_t a, std::uint32_t b) { return Larger(a, b); });
    Add(std::move(rest), Same::kShape, out);
  }

  bool Larger(std::uint32_t a, std::uint32_t b) const {
    const LayerUse &left = chains_.layers[a], &right = chains_.layers[b];
    if (left.bytes != right.bytes) return left.bytes > right.bytes;
    return left.chain_id < right.chain_id;
  }

 private:
  // `layers`: with the same text.  Known content differs, because layers with the same content are
  // already in a group.
  bool AreBuildsOfOneInstruction(const std::vector<std::uint32_t>& layers) const {
    return std::ranges::all_of(layers, [&](std::uint32_t at) {
      const LayerUse& layer = chains_.layers[at];
      return layer.diff_id != kNoKey && IsDockerfileInstruction(layer.created_by);
    });
  }

  const LayerChains& chains_;
  ByImage<std::string> repositories_;
};

}  // namespace

std::vector<LookAlikes> FindLookAlikes(const LayerChains& chains, std::span<const Image> images,
                                       const BloatLimits& limits) {
  const Finder finder(chains, images);
  const auto larger = [&](std::uint32_t a, std::uint32_t b) { return finder.Larger(a, b); };
  std::map<Key, std::vector<std::uint32_t>> by_content;
  std::map<std::string, std::vector<std::uint32_t>> by_shape;
  for (std::uint32_t at = 0; at < chains.layers.size(); ++at) {
    const LayerUse& layer = chains.layers[at];
    if (layer.bytes < std::max<std::uint64_t>(limits.min_bytes, 1)) continue;
    if (layer.diff_id != kNoKey) by_content[layer.diff_id].push_back(at);
    if (!layer.created_by.empty()) by_shape[InstructionShape(layer.created_by)].push_back(at);
  }
  std::vector<LookAlikes> found;
  std::set<std::uint32_t> told;
  for (auto& [content, layers] : by_content) {
    if (layers.size() < 2) continue;
    std::ranges::sort(layers, larger);
    // The largest represents all of them below, because others may look like it.
    told.insert(layers.begin() + 1, layers.end());
    finder.Add(layers, Same::kContent, found);
  }
  for (auto& [shape, layers] : by_shape) {
    std::erase_if(layers, [&](std::uint32_t at) { return told.contains(at); });
    std::ranges::sort(layers, larger);
    for (std::size_t first = 0; first < layers.size();) {
      const auto least =
          static_cast<double>(chains.layers[layers[first]].bytes) * (1 - limits.tolerance);
      std::size_t end = first + 1;
      while (end < layers.size() && static_cast<double>(chains.layers[layers[end]].bytes) >= least)
        ++end;
      finder.AddSimilar(std::span(layers).subspan(first, end - first), found);
      first = end;
    }
  }
  std::ranges::sort(found, [&](const LookAlikes& a, const LookAlikes& b) {
    if (a.saved != b.saved) return a.saved > b.saved;
    return chains.layers[a.layers.front()].chain_id < chains.layers[b.layers.front()].chain_id;
  });
  return found;
}

}  // namespace imagesweep::layers
