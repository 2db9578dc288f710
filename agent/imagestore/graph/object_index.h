#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/imagestore/graph/metadata_snapshot.h"

namespace imagesweep::layers {

// The number of an object in the garbage collection: blobs first, then snapshots, then image
// records, each in the order of the MetadataSnapshot, and then objects that are only referenced
// (see Find).
using Node = std::uint32_t;
constexpr Node kNoNode = 0xFFFFFFFF;

// Finds objects of a MetadataSnapshot by namespace and key.  Holds a pointer to the
// MetadataSnapshot, which must outlive it.  Reads are safe from any thread.
class ObjectIndex {
 public:
  explicit ObjectIndex(const MetadataSnapshot& metadata);

  // Objects of the MetadataSnapshot.  kNoNode: there is none.
  Node FindBlob(NamespaceId name_space, Key digest) const;
  Node FindSnapshot(NamespaceId name_space, NamespaceId snapshotter, Key key) const;
  Node FindImage(NamespaceId name_space, Key name) const;
  // The name of an image that has back references, even if there is no record of it.
  Node FindName(NamespaceId name_space, Key name) const;
  // The target of a reference in `name_space`: an object, or a node for a missing object with back
  // references.  kNoNode for a dangling reference and for containers.
  Node Find(NamespaceId name_space, const Reference& reference) const;

  Node size() const { return first_dangling_ref_ + static_cast<Node>(dangling_refs_.size()); }
  Node first_snapshot() const { return first_snapshot_; }
  Node first_image() const { return first_image_; }
  bool IsSnapshot(Node node) const { return node >= first_snapshot_ && node < first_image_; }
  bool IsImage(Node node) const { return node >= first_image_ && node < first_dangling_ref_; }

  // Records of one digest in several namespaces (one file on disk), with a number for each digest.
  const std::unordered_map<Node, std::uint32_t>& duplicate_blobs() const {
    return duplicate_blobs_;
  }
  std::uint32_t duplicate_groups() const { return duplicate_groups_; }
  // Objects that are listed more than once: the second and later ones, each with the first.
  const std::vector<std::pair<Node, Node>>& repeated() const { return repeated_; }

 private:
  template <typename Matches>
  Node FindBy(Key key, Matches&& matches) const;
  void Insert(Node node, Key key, Node same);
  void Pair(Node node, Key digest);
  struct DanglingRef {
    Reference what;
    NamespaceId space = 0;
  };
  Node FindDanglingRef(NamespaceId name_space, const Reference& what) const;
  void AddDanglingRefs(NamespaceId name_space, const References& references);

  const MetadataSnapshot* metadata_;
  Node first_snapshot_, first_image_, first_dangling_ref_;
  std::vector<Node> heads_;  // by KeyTable::Index
  std::vector<Node> next_;   // the next object with the same key
  std::unordered_map<Node, std::uint32_t> duplicate_blobs_;
  std::uint32_t duplicate_groups_ = 0;
  std::vector<std::pair<Node, Node>> repeated_;
  std::vector<DanglingRef> dangling_refs_;
};

}  // namespace imagesweep::layers
