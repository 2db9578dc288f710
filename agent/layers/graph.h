#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/layers/attribution.h"
#include "agent/layers/liveness.h"
#include "agent/layers/object_graph.h"
#include "agent/layers/world.h"
#include "agent/model/image.h"

namespace imagesweep::layers {

// How a figure relates to what a removal will really free.
enum class Certainty {
  kExact,
  kAtLeast,  // something that may come free too was not counted
  kAtMost,   // something unseen may hold a part of it
  kRoughly,  // both, or the file system or the snapshotter does not account in blocks
};

std::string_view ToString(Certainty certainty);  // "at least"

// What removing a set of images frees.
struct Freed {
  Reclaim space;
  Certainty certainty = Certainty::kExact;
  std::string why;  // empty when exact

  bool exact() const { return certainty == Certainty::kExact; }
};

// An image record of containerd that belongs to an image of the CRI.
struct NativeRecord {
  std::string name;
  std::string target;                  // digest of the manifest or index that it stands for
  bool survives_remove_image = false;  // see SurvivesRemoveImage: remove it by its own name
  bool ambiguous = false;              // may belong to another image as well
};

// What runs on an image's layers, by the snapshots alone: containers, sandboxes, image volumes,
// builds, in every namespace and whether or not anything else knows of them.
enum class SnapshotUse {
  kNone,
  kBeneath,  // a running image is built on it
  kDirect,   // a writable or mounted snapshot lies on exactly these layers
};

// containerd's garbage collection, replayed here: which blobs and snapshots go when a set of images
// does.  Built once from one collection; nothing in it changes afterwards, so any thread may read.
// Images are positions in the list that it was built with.
//
// Source: containerd core/metadata/gc.go (mark and sweep), content.go and snapshot.go (a file goes
// when no namespace has a record of its digest; snapshots belong to one namespace).
class LayerGraph {
 public:
  LayerGraph(World world, std::span<const Image> images);
  LayerGraph(const LayerGraph&) = delete;  // its parts point to each other
  LayerGraph& operator=(const LayerGraph&) = delete;

  std::size_t size() const { return attribution_.records.size(); }  // images
  const World& world() const { return *world_; }

  // The figure for the set as a whole: the sum over single images is lower, since what two of them
  // share comes free with the second.  Repeated positions count once.  O(nodes): for orders, and
  // for one image after the other, use a Marginal.
  Freed FreedBy(std::span<const std::uint32_t> images) const;
  Reclaim FreedByAll() const { return liveness_.FreedByAll(); }
  // Not referenced by anything now: the next garbage collection frees it whatever is removed, so no
  // image may claim it.
  Reclaim Dead() const { return liveness_.Dead(); }

  // What the CRI's image is to containerd; empty when no record of it was found.
  std::vector<NativeRecord> Records(std::uint32_t image) const;
  // Digests of the manifests with this image's config; several when it came compressed in two ways.
  std::vector<std::string> Manifests(std::uint32_t image) const;
  SnapshotUse Use(std::uint32_t image) const { return uses_[image]; }
  // A snapshot of the CRI's namespace; kNoNode when there is none.
  Node FindSnapshot(std::string_view snapshotter, std::string_view key) const;
  // The images on whose layers this snapshot lies, be it with others between (user namespaces remap
  // layers into one of their own): several when they are of the same layers, and not those that
  // these are built on.
  std::vector<std::uint32_t> ImagesOf(Node snapshot) const;

  // For the other files of this folder.
  const ObjectIndex& index() const { return index_; }
  const Attribution& attribution() const { return attribution_; }
  const ObjectGraph& objects() const { return objects_; }
  const Liveness& liveness() const { return liveness_; }

 private:
  void FindUses();
  void FindDoubts();

  std::shared_ptr<const World> world_;
  ObjectIndex index_;
  Attribution attribution_;
  ObjectGraph objects_;
  Liveness liveness_;
  std::vector<SnapshotUse> uses_;
  // What makes every figure inexact, and in which direction.
  bool may_be_more_ = false, may_be_less_ = false;
  std::string doubts_;
};

}  // namespace imagesweep::layers
