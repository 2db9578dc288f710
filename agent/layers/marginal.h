#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "agent/layers/graph.h"

namespace imagesweep::layers {

// The next image's worth, for choosing an order: starts from a set that is taken to be removed and
// grows it.  Counts references in place of marking anew, so an image costs its own layers.
//
// What an image adds grows with the set (of two siblings the second takes what they share along),
// so gains have to be asked again after every Add.  Points to the graph, which must outlive it. Not
// for several threads at once.
class Marginal {
 public:
  explicit Marginal(const LayerGraph& graph, std::span<const std::uint32_t> removed = {});

  // What would come free in addition; nothing for an image that is in the set already.
  Reclaim Gain(std::uint32_t image);
  // Puts it into the set, and says what that added.
  Reclaim Add(std::uint32_t image);
  // Of the whole set.
  const Reclaim& total() const { return total_; }
  bool Contains(std::uint32_t image) const { return removed_[image]; }

 private:
  Reclaim Release(std::uint32_t image);
  void Drop(Node node);
  void Count(Node node, Reclaim& freed);

  const LayerGraph* graph_;
  std::vector<std::uint32_t> counts_;
  std::vector<std::uint32_t> twins_alive_;
  std::vector<bool> removed_;
  Reclaim total_;
  std::vector<Node> pending_;
  // What Release took away, to put it back.
  std::vector<Node> dropped_;
  std::vector<std::size_t> twins_dropped_;
};

}  // namespace imagesweep::layers
