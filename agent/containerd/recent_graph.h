#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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
  using Positions = std::unordered_map<std::string, std::uint32_t>;  // in the graph, by image id
  struct Known {
    std::shared_ptr<const layers::LayerGraph> graph;
    std::shared_ptr<const Positions> positions;
  };

  RecentGraph(layers::LayerReader& reader, const Clock& clock) : reader_(reader), clock_(clock) {}

  Result<std::shared_ptr<const layers::LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token& stop) override;
  // The same with what it knows.
  Result<Known> ReadAnew(std::span<const Image> images, const std::stop_token& stop);
  // The last one, should its reading have begun at most `age` ago.
  std::optional<Known> Last(Millis age) const;
  void Forget() { last_.reset(); }

 private:
  layers::LayerReader& reader_;
  const Clock& clock_;
  std::weak_ptr<const layers::LayerGraph> last_;
  std::shared_ptr<const Positions> positions_;
  SteadyTime begun_;
};

// Whether a graph knows each of these.
bool KnowsAll(const RecentGraph::Positions& positions, std::span<const Image> images);

}  // namespace imagesweep::containerd
