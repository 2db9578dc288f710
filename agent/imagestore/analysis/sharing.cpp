#include "agent/imagestore/analysis/sharing.h"

namespace imagesweep::layers {

Sharing MeasureSharing(const LayerGraph& graph) {
  const Node nodes = graph.objects().size();
  const Node first_image = graph.index().first_image();
  std::vector<std::uint32_t> seen_by(nodes, 0), images(nodes, 0);
  std::vector<ImagePos> last(nodes);
  Sharing result;
  result.images.resize(graph.size());
  for (const ImagePos image : Positions(graph)) {
    VisitReached(graph, image, seen_by, [&](Node node) {
      if (node >= first_image) return;
      ++images[node];
      last[node] = image;
      result.images[image].total += graph.liveness().SizeOf(node);
    });
    result.apparent += result.images[image].total.bytes;
  }
  for (Node node = 0; node < first_image; ++node) {
    if (images[node] == 0) continue;
    const Reclaim size = graph.liveness().SizeOf(node);
    result.on_disk += size.bytes;
    if (images[node] == 1) result.images[last[node]].unique += size;
  }
  return result;
}

}  // namespace imagesweep::layers
