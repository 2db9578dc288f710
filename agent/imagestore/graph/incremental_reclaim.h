#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "agent/imagestore/graph/graph.h"
#include "agent/model/image_pos.h"

namespace imagesweep::layers {

// The space that each further removal frees, for the choice of an order.  Starts from a set of
// removed images, which grows.  Counts references instead of marking the whole graph again, so the
// cost of an image is the number of its layers.
//
// The gain of an image grows with the set (of two siblings, the second also frees the shared
// layers), so call Gain again after every Add.  Points to the graph, which must outlive it.  One
// thread at a time.
class IncrementalReclaim {
 public:
  explicit IncrementalReclaim(const LayerGraph& graph, std::span<const ImagePos> removed = {});

  // The space that the image adds.  Nothing for an image in the set.
  Reclaim Gain(ImagePos image);
  // Adds the image to the set and returns its gain.
  Reclaim Add(ImagePos image);
  // The space of the whole set.
  const Reclaim& total() const { return total_; }
  bool Contains(ImagePos image) const { return removed_[image]; }

 private:
  Reclaim Release(ImagePos image);
  void Drop(Node node);
  void Count(Node node, Reclaim& freed);

  const LayerGraph* graph_;
  std::vector<std::uint32_t> counts_;
  std::vector<std::uint32_t> duplicates_alive_;
  ByImage<bool> removed_;
  Reclaim total_;
  std::vector<Node> pending_;
  // The changes of Release, to undo them.
  std::vector<Node> dropped_;
  std::vector<std::size_t> duplicates_dropped_;
};

}  // namespace imagesweep::layers
