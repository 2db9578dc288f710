#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "agent/base/clock.h"
#include "agent/imagestore/graph/graph_reader.h"
#include "agent/model/image_pos.h"

namespace imagesweep::containerd {

// Caches the last graph of another reader, while its caller holds it. As thread-safe as the other
// reader, which must outlive this object.
class CachedGraphReader final : public layers::LayerReader {
 public:
  using Positions = std::unordered_map<std::string, ImagePos>;  // in the graph, by image id
  struct Known {
    std::shared_ptr<const layers::LayerGraph> graph;
    std::shared_ptr<const Positions> positions;
  };

  CachedGraphReader(layers::LayerReader& reader, const Clock& clock)
      : reader_(reader), clock_(clock) {}

  Result<std::shared_ptr<const layers::LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token& stop) override;
  // Reads a graph, and returns it with the positions of the images in it.
  Result<Known> Refresh(std::span<const Image> images, const std::stop_token& stop);
  // The last graph, if its reading began at most `age` ago.
  std::optional<Known> Last(Millis age) const;
  void Forget() { last_.reset(); }

 private:
  layers::LayerReader& reader_;
  const Clock& clock_;
  std::weak_ptr<const layers::LayerGraph> last_;
  std::shared_ptr<const Positions> positions_;
  SteadyTime begun_;
};

// Whether a graph knows each of these images.
bool KnowsAll(const CachedGraphReader::Positions& positions, std::span<const Image> images);

}  // namespace imagesweep::containerd
