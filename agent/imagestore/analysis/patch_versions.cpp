#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "agent/imagestore/analysis/bloat.h"
#include "agent/imagestore/analysis/instruction.h"

namespace imagesweep::layers {

namespace {

// "PYTHON_VERSION 3.11" -> "3.11.4" -> the images on it.
using Versions = std::map<std::string, std::map<std::string, std::vector<ImagePos>>>;

// Numbers compare as numbers: 3.9.10 is newer than 3.9.9.
bool Newer(std::string_view a, std::string_view b) {
  const auto last = [](std::string_view version) {
    auto number = version.substr(version.rfind('.') + 1);
    while (number.size() > 1 && number.front() == '0') number.remove_prefix(1);
    return number;
  };
  const auto left = last(a), right = last(b);
  return left.size() != right.size() ? left.size() > right.size() : left > right;
}

// The number of lowest layers that the same lines created.
std::size_t CommonSteps(const LayerChains& chains, ImagePos a, ImagePos b) {
  if (!chains.has_history[a] || !chains.has_history[b]) return 0;
  const auto &left = chains.of_image[a], &right = chains.of_image[b];
  std::size_t common = 0;
  while (common < left.size() && common < right.size() &&
         InstructionShape(chains.layers[left[common]].created_by) ==
             InstructionShape(chains.layers[right[common]].created_by))
    ++common;
  return common;
}

// The number of lowest layers that all of these images have: their base, if they differ above it.
std::size_t CommonLayers(const LayerChains& chains, const std::vector<ImagePos>& images) {
  const auto& first = chains.of_image[images.front()];
  std::size_t common = first.size();
  for (const ImagePos image : images) {
    const auto& its = chains.of_image[image];
    const auto differ = std::ranges::mismatch(first, its);
    common = std::min(common, static_cast<std::size_t>(differ.in1 - first.begin()));
  }
  return common;
}

// The space that is freed if all images move to the most frequent version, the newest of equals.
Advice Judge(const LayerChains& chains, const std::string& name,
             const std::map<std::string, std::vector<ImagePos>>& versions) {
  Advice advice{AdviceKind::kPatchVersions, 0, name + ":", {}};
  auto kept = versions.begin();
  std::vector<std::string> sorted;
  for (auto at = versions.begin(); at != versions.end(); ++at) {
    const std::size_t most = kept->second.size(), its = at->second.size();
    if (its > most || (its == most && Newer(at->first, kept->first))) kept = at;
    sorted.push_back(at->first);
    advice.images.insert(advice.images.end(), at->second.begin(), at->second.end());
  }
  std::ranges::sort(sorted, [](const auto& a, const auto& b) { return Newer(b, a); });
  for (const auto& version : sorted)
    advice.subject += (version == sorted.front() ? " " : ", ") + version;
  std::ranges::sort(advice.images);

  const std::size_t base = CommonLayers(chains, kept->second);
  std::set<std::uint32_t> stay, go;
  for (const ImagePos image : kept->second)
    stay.insert(chains.of_image[image].begin(), chains.of_image[image].end());
  for (const auto& [version, images] : versions) {
    if (version == kept->first) continue;
    for (const ImagePos image : images) {
      std::size_t common = 0;
      for (const ImagePos other : kept->second)
        common = std::max(common, CommonSteps(chains, image, other));
      for (std::size_t i = 0; i < std::min(common, base); ++i) go.insert(chains.of_image[image][i]);
    }
  }
  for (const std::uint32_t at : go)
    if (!stay.contains(at)) advice.bytes += chains.layers[at].bytes;
  return advice;
}

}  // namespace

std::vector<Advice> FindPatchVersions(const LayerGraph& graph, const LayerChains& chains,
                                      std::span<const Image> images) {
  Versions found;
  const MetadataSnapshot& metadata = graph.metadata();
  std::unordered_map<Key, const ImageFacts*> facts_of;
  for (const ImageFacts& facts : metadata.facts()) facts_of[facts.id] = &facts;
  for (const ImagePos image : Positions(images)) {
    // The tag of a base image tells its version.
    const auto& chain = chains.of_image[image];
    if (!chain.empty() && chains.layers[chain.back()].images.size() > 1)
      for (const ImageName& tag : At(images, image).tags)
        if (const auto version = ReadPatchVersion(tag.tag()))
          found[std::string(tag.repository()) + " " + std::string(version->minor) +
                std::string(version->flavour)][std::string(version->full)]
              .push_back(image);
    const Node config = graph.attribution().configs[image];
    if (config == kNoNode) continue;
    const auto facts = facts_of.find(metadata.blobs()[config].digest);
    if (facts == facts_of.end()) continue;
    std::map<std::string, std::string> settings;  // the last one applies
    for (const auto& step : facts->second->history) {
      const std::string text = metadata.keys().Text(step.created_by);
      if (const auto setting = ReadVersionSetting(text))
        settings[std::string(setting->name)] = setting->full;
    }
    for (const auto& [name, full] : settings)
      found[name + " " + full.substr(0, full.rfind('.'))][full].push_back(image);
  }
  std::vector<Advice> advice;
  for (const auto& [name, versions] : found)
    if (versions.size() > 1) advice.push_back(Judge(chains, name, versions));
  return advice;
}

}  // namespace imagesweep::layers
