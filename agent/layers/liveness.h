#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "agent/layers/object_graph.h"

namespace imagesweep::layers {

// Space on disk that a set of objects takes, or that would come free with them.
struct Reclaim {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
  std::uint64_t blobs = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t unsized = 0;    // of the snapshots: usage unknown, not in `bytes`
  std::uint64_t estimated = 0;  // of the snapshots: their snapshotter's usage is no count of blocks

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

// What is held by whom as long as nothing is removed, and how many references hold each object that
// only images hold: the base state that a Marginal starts from.
class Liveness {
 public:
  // May Collapse the graph.
  Liveness(const World& world, const ObjectIndex& index, const Attribution& attribution,
           ObjectGraph& graph);

  // Reached from something that no removal of an image takes away, with all that it refers to.
  bool Held(Node node) const { return (flags_[node] & kHeld) != 0; }
  // Stays whatever is removed, but what it refers to need not.
  bool Stays(Node node) const { return (flags_[node] & (kHeld | kFlat)) != 0; }
  // Survives a garbage collection now.
  bool Alive(Node node) const { return flags_[node] != 0; }

  // References to each node from those that only images hold; of a record: its images.
  const std::vector<std::uint32_t>& counts() const { return counts_; }
  // For each group of twins: records of the same digest that are alive.
  const std::vector<std::uint32_t>& twins_alive() const { return twins_alive_; }

  // The space of the object itself, whoever else has it.
  Reclaim SizeOf(Node node) const;
  // The group of a blob that several namespaces know; -1 for all others.
  std::int64_t TwinGroup(Node node) const;
  // What comes free when all images go.
  const Reclaim& FreedByAll() const { return all_; }
  // Not alive: the next garbage collection frees it, whatever is removed.
  Reclaim Dead() const;

 private:
  enum Flag : std::uint8_t { kHeld = 1, kFlat = 2, kCounted = 4 };
  void MarkHeld(const ObjectGraph& graph);
  Node CountReferences(const ObjectGraph& graph, const Attribution& attribution);
  Node ReleaseAll(const ObjectGraph& graph, const Attribution& attribution);

  const World* world_;
  const ObjectIndex* index_;
  std::vector<std::uint8_t> flags_;
  std::vector<bool> twin_, repeated_;
  std::vector<std::uint32_t> counts_, twins_alive_;
  std::vector<bool> estimated_;  // by snapshotter
  Reclaim all_;
};

}  // namespace imagesweep::layers
