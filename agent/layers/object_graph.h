#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "agent/layers/attribution.h"
#include "agent/layers/object_index.h"

namespace imagesweep::layers {

// On whose behalf a root is one.
enum class RootKind : std::uint8_t { kContainer, kLease, kBuildCache, kImage, kOther };

// Something that garbage collection starts from and that no removal of an image takes away.
struct Root {
  Node node = kNoNode;
  Space space = 0;
  RootKind kind = RootKind::kOther;
  bool flat = false;  // holds only this, and the parents of a snapshot
};

// Who refers to whom, and where garbage collection starts: the World as a graph of numbers.
// Dangling references lead nowhere and are left out, as the collector does.
//
// Records of the CRI's images are no roots here but the removable starting points.  Whatever refers
// to one of those (a lease, a label) refers to its name alone: while the record exists it needs no
// one, and once it is deleted only what hangs on the name by back references is left.
class ObjectGraph {
 public:
  ObjectGraph(const World& world, const ObjectIndex& index, const Attribution& attribution);

  // Objects and, after Collapse, the nodes that stand for cycles.
  Node size() const { return static_cast<Node>(offsets_.size()) - 1; }
  std::span<const Node> From(Node node) const {
    return std::span(targets_).subspan(offsets_[node], offsets_[node + 1] - offsets_[node]);
  }
  const std::vector<Root>& roots() const { return roots_; }
  // The parent of a snapshot, counted from the first snapshot; kNoNode when it has none.
  Node Parent(Node snapshot) const { return parents_[snapshot - first_snapshot_]; }

  // Makes counting references exact where labels run in circles: for each cycle among the nodes
  // with `where` set, one further node takes all references from outside and passes them on to the
  // members.  Only hostile labels make cycles; Tarjan's algorithm, without recursion.
  void Collapse(const std::vector<bool>& where);

 private:
  // Fills the graph in; needed only for that.
  struct Sources {
    const World& world;
    const ObjectIndex& index;
    const Attribution& attribution;
    bool Removable(Node node) const {
      return index.IsImage(node) && attribution.owners[node - index.first_image()] > 0;
    }
    Node Meant(Space space, const Reference& reference) const;
  };
  void AddEdges(const Sources& from);
  void AddRoots(const Sources& from);
  void AddRootsOfObjects(const Sources& from);
  void Merge(std::vector<std::pair<Node, Node>> edges);

  Node first_snapshot_;
  std::vector<std::uint32_t> offsets_;
  std::vector<Node> targets_;
  std::vector<Node> parents_;
  std::vector<Root> roots_;
};

}  // namespace imagesweep::layers
