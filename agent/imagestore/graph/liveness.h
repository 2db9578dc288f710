#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "agent/imagestore/graph/object_graph.h"

namespace imagesweep::layers {

// The space on disk that a set of objects takes, or that its removal frees.
struct Reclaim {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
  std::uint64_t blobs = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t unsized = 0;    // snapshots with unknown usage, not in `bytes`
  std::uint64_t estimated = 0;  // snapshots whose snapshotter does not count usage in blocks

  Reclaim& operator+=(const Reclaim& other) {
    bytes += other.bytes;
    inodes += other.inodes;
    blobs += other.blobs;
    snapshots += other.snapshots;
    unsized += other.unsized;
    estimated += other.estimated;
    return *this;
  }
  friend bool operator==(const Reclaim&, const Reclaim&) = default;
};

// The objects that are held before any removal, and the number of references to each object that
// only images hold.  An IncrementalReclaim starts from this state.
class Liveness {
 public:
  // May call graph.Collapse().
  Liveness(const MetadataSnapshot& metadata, const ObjectIndex& index,
           const Attribution& attribution, ObjectGraph& graph);

  // Reachable from a root that no removal of an image deletes.  All its references are held too.
  bool Held(Node node) const { return (flags_[node] & kHeld) != 0; }
  // Stays after any removal, but its references may not.
  bool Stays(Node node) const { return (flags_[node] & (kHeld | kFlat)) != 0; }
  // Survives a garbage collection now.
  bool Alive(Node node) const { return flags_[node] != 0; }

  // The number of references to each node from nodes that only images hold.  For a record: the
  // number of its images.
  const std::vector<std::uint32_t>& counts() const { return counts_; }
  // For each group of duplicates: the number of records of the same digest that are alive.
  const std::vector<std::uint32_t>& duplicates_alive() const { return duplicates_alive_; }

  // The space of the object itself, even if it is shared.
  Reclaim SizeOf(Node node) const;
  // The group of a blob that is in several namespaces.  -1 for all others.
  std::int64_t DuplicateGroup(Node node) const;
  // The space that the removal of all images frees.
  const Reclaim& FreedByAll() const { return all_; }
  // Not alive: the next garbage collection frees it without any removal.
  Reclaim Dead() const;

 private:
  enum Flag : std::uint8_t { kHeld = 1, kFlat = 2, kCounted = 4 };
  void MarkHeld(const ObjectGraph& graph);
  Node CountReferences(const ObjectGraph& graph, const Attribution& attribution);
  Node ReleaseAll(const ObjectGraph& graph, const Attribution& attribution);

  const MetadataSnapshot* metadata_;
  const ObjectIndex* index_;
  std::vector<std::uint8_t> flags_;
  std::vector<bool> duplicate_blob_, repeated_;
  std::vector<std::uint32_t> counts_, duplicates_alive_;
  std::vector<bool> estimated_;  // by snapshotter
  Reclaim all_;
};

}  // namespace imagesweep::layers
