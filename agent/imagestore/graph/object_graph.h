#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "agent/imagestore/graph/attribution.h"
#include "agent/imagestore/graph/object_index.h"

namespace imagesweep::layers {

// The owner of a root.
enum class RootKind : std::uint8_t { kContainer, kLease, kBuildCache, kImage, kOther };

// A root of the garbage collection that no removal of an image deletes.
struct Root {
  Node node = kNoNode;
  NamespaceId space = 0;
  RootKind kind = RootKind::kOther;
  bool flat = false;  // holds only this, and the parents of a snapshot
};

// The references of the MetadataSnapshot and the roots of the garbage collection, as a graph of
// numbers. Dangling references are left out, as the collector does.
//
// Records of the CRI's images are not roots here, because a removal deletes them.  A lease or a
// label refers to such a record by its name.  While the record exists, this reference has no
// effect.  After the deletion, it holds only objects with back references to the name.
class ObjectGraph {
 public:
  ObjectGraph(const MetadataSnapshot& metadata, const ObjectIndex& index,
              const Attribution& attribution);

  // Objects and, after Collapse, the nodes that stand for cycles.
  Node size() const { return static_cast<Node>(offsets_.size()) - 1; }
  std::span<const Node> From(Node node) const {
    return std::span(targets_).subspan(offsets_[node], offsets_[node + 1] - offsets_[node]);
  }
  const std::vector<Root>& roots() const { return roots_; }
  // The parent of a snapshot, counted from the first snapshot.  kNoNode: none.
  Node Parent(Node snapshot) const { return parents_[snapshot - first_snapshot_]; }

  // Makes reference counts exact for cycles: for each cycle among the nodes with `where` set, an
  // additional node gets all references from outside and refers to the members.  Only hostile
  // labels form cycles.  Tarjan's algorithm, without recursion.
  void Collapse(const std::vector<bool>& where);

 private:
  // The input of the construction.
  struct Sources {
    const MetadataSnapshot& metadata;
    const ObjectIndex& index;
    const Attribution& attribution;
    bool Removable(Node node) const {
      return index.IsImage(node) && attribution.owners[node - index.first_image()] > 0;
    }
    Node Resolve(NamespaceId space, const Reference& reference) const;
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
