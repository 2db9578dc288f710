#include "agent/containerd/recent_graph.h"

#include <algorithm>

namespace imagesweep::containerd {

Result<std::shared_ptr<const layers::LayerGraph>> RecentGraph::Read(std::span<const Image> images,
                                                                    const std::stop_token& stop) {
  last_.reset();
  positions_.clear();
  begun_ = clock_.Steady();
  auto graph = reader_.Read(images, stop);
  if (!graph) return graph;
  last_ = *graph;
  for (std::uint32_t at = 0; at < images.size(); ++at) positions_.emplace(images[at].id.text(), at);
  return graph;
}

Result<RecentGraph::Known> RecentGraph::Knowing(std::span<const Image> images, Millis age,
                                                const std::stop_token& stop) {
  auto graph = last_.lock();
  const bool knows_all = std::ranges::all_of(
      images, [&](const Image& image) { return positions_.contains(image.id.text()); });
  if (graph && knows_all && clock_.Steady() - begun_ <= age) return Known{graph, positions_};
  auto read = Read(images, stop);
  if (!read) return read.error();
  return Known{*std::move(read), positions_};
}

}  // namespace imagesweep::containerd
