#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "agent/imagestore/graph/graph.h"
#include "agent/model/image_pos.h"

namespace imagesweep::layers {

// The space of an image, and the part that no other image of the CRI has.  Unlike the space that a
// removal frees, this ignores other holders (containers, leases, other namespaces).
struct ImageShare {
  Reclaim total;
  Reclaim unique;

  std::uint64_t shared_bytes() const { return total.bytes - unique.bytes; }
};

struct Sharing {
  ByImage<ImageShare> images;
  std::uint64_t apparent = 0;  // the images' totals added up
  std::uint64_t on_disk = 0;   // each layer once
  // The average number of uses of a byte on disk.  1 if images share nothing, or there are none.
  double reuse() const {
    return on_disk == 0 ? 1.0 : static_cast<double>(apparent) / static_cast<double>(on_disk);
  }
};

// O(sum of the images' layers).
Sharing MeasureSharing(const LayerGraph& graph);

// Visits all nodes that the records of an image reach.  Calls `visit(node)` once for each node.
template <typename Visit>
void VisitReached(const LayerGraph& graph, ImagePos image, std::vector<std::uint32_t>& seen_by,
                  Visit&& visit) {
  // seen_by: graph.objects().size() entries, none equal to image.value() + 1 at the start.
  const std::uint32_t seen = image.value() + 1;
  std::vector<Node> pending;
  const auto enter = [&](Node node) {
    if (seen_by[node] == seen) return;
    seen_by[node] = seen;
    pending.push_back(node);
  };
  for (const Node record : graph.attribution().records[image]) enter(record);
  while (!pending.empty()) {
    const Node node = pending.back();
    pending.pop_back();
    visit(node);
    for (const Node other : graph.objects().From(node)) enter(other);
  }
}

}  // namespace imagesweep::layers
