#include "agent/runtime/containerd/cached_graph_reader.h"

#include <algorithm>
#include <utility>

namespace imagesweep::containerd {

Result<std::shared_ptr<const layers::LayerGraph>> CachedGraphReader::Read(
    std::span<const Image> images, const std::stop_token& stop) {
  auto known = Refresh(images, stop);
  if (!known) return std::move(known).error();
  return std::move(known->graph);
}

Result<CachedGraphReader::Known> CachedGraphReader::Refresh(std::span<const Image> images,
                                                            const std::stop_token& stop) {
  Forget();
  begun_ = clock_.Steady();
  auto graph = reader_.Read(images, stop);
  if (!graph) return std::move(graph).error();
  Positions positions;
  for (const ImagePos at : imagesweep::Positions(images))
    positions.emplace(At(images, at).id.text(), at);
  last_ = *graph;
  positions_ = std::make_shared<const Positions>(std::move(positions));
  return Known{*std::move(graph), positions_};
}

std::optional<CachedGraphReader::Known> CachedGraphReader::Last(Millis age) const {
  auto graph = last_.lock();
  if (!graph || clock_.Steady() - begun_ > age) return std::nullopt;
  return Known{std::move(graph), positions_};
}

bool KnowsAll(const CachedGraphReader::Positions& positions, std::span<const Image> images) {
  return std::ranges::all_of(
      images, [&](const Image& image) { return positions.contains(image.id.text()); });
}

}  // namespace imagesweep::containerd
