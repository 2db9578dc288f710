#include "agent/imagestore/analysis/build_lines.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "agent/imagestore/analysis/instruction.h"

namespace imagesweep::layers {

std::vector<BuildLine> ReadBuildLines(const LayerChains& chains) {
  std::map<std::string, std::vector<std::uint32_t>> by_shape;
  for (std::uint32_t at = 0; at < chains.layers.size(); ++at)
    if (const LayerUse& layer = chains.layers[at]; layer.bytes > 0 && !layer.created_by.empty())
      by_shape[InstructionShape(layer.created_by)].push_back(at);

  std::vector<BuildLine> lines;
  for (auto& [shape, layers] : by_shape) {
    BuildLine line;
    std::set<std::uint32_t> images;
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

}  // namespace imagesweep::layers
