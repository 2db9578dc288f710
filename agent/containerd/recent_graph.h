#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "agent/base/clock.h"
#include "agent/layers/reader.h"

namespace imagesweep::containerd {

// Another reader's graphs; the last one can be had again for a moment, as long as whoever asked for
// it holds it.  Threads: as the other reader, which must outlive it.
class RecentGraph final : public layers::LayerReader {
 public:
  RecentGraph(layers::LayerReader& reader, const Clock& clock) : reader_(reader), clock_(clock) {}

  Result<std::shared_ptr<const layers::LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token& stop) override;

  struct Known {
    std::shared_ptr<const layers::LayerGraph> graph;
    std::unordered_map<std::string, std::uint32_t> positions;  // in the graph, by image id
  };
  // A graph that knows each of these images: the last one, should its reading have begun at most
  // `age` ago, or a new one.  Errors as of Read.
  Result<Known> Knowing(std::span<const Image> images, Millis age, const std::stop_token& stop);

 private:
  layers::LayerReader& reader_;
  const Clock& clock_;
  std::weak_ptr<const layers::LayerGraph> last_;
  std::unordered_map<std::string, std::uint32_t> positions_;
  SteadyTime begun_;
};

}  // namespace imagesweep::containerd
