#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/imagestore/graph/attribution.h"
#include "agent/imagestore/graph/liveness.h"
#include "agent/imagestore/graph/metadata_snapshot.h"
#include "agent/imagestore/graph/object_graph.h"
#include "agent/model/image.h"
#include "agent/model/image_pos.h"

namespace imagesweep::layers {

// The relation of a figure to the space that a removal really frees.
enum class Certainty {
  kExact,
  kAtLeast,  // the removal may free more that was not counted
  kAtMost,   // an unseen object may hold a part of it
  kRoughly,  // both, or the file system or the snapshotter does not account in blocks
};

std::string_view ToString(Certainty certainty);  // "at least"

// The space that the removal of a set of images frees.
struct Freed {
  Reclaim space;
  Certainty certainty = Certainty::kExact;
  std::string why;  // empty if exact

  bool exact() const { return certainty == Certainty::kExact; }
};

// An image record of containerd that belongs to an image of the CRI.
struct NativeRecord {
  std::string name;
  std::string target;                  // digest of the manifest or index that it stands for
  bool survives_remove_image = false;  // see SurvivesRemoveImage: delete it by its own name
  bool ambiguous = false;              // may also belong to another image
};

// The use of an image's layers by snapshots: of containers, sandboxes, image volumes and builds, in
// every namespace.
enum class SnapshotUse {
  kNone,
  kBeneath,  // a running image is built on it
  kDirect,   // a writable or mounted snapshot lies on exactly these layers
};

// A model of containerd's garbage collection: the blobs and snapshots that it frees after the
// removal of a set of images.  Built once from one MetadataSnapshot, then immutable, so any thread
// may read. An ImagePos is a position in the list that it was built with.
//
// Source: containerd core/metadata/gc.go (mark and sweep), content.go and snapshot.go (a file is
// deleted if no namespace has a record of its digest; snapshots belong to one namespace).
class LayerGraph {
 public:
  LayerGraph(MetadataSnapshot metadata, std::span<const Image> images);
  LayerGraph(const LayerGraph&) = delete;  // its parts point to each other
  LayerGraph& operator=(const LayerGraph&) = delete;

  std::size_t size() const { return attribution_.records.size(); }  // images
  const MetadataSnapshot& metadata() const { return *metadata_; }

  // The figure for the whole set.  The sum over single images is lower, because layers that two of
  // them share are freed with the second.  Repeated positions count once.  O(nodes): to remove
  // images one after the other, use an IncrementalReclaim.
  Freed FreedBy(std::span<const ImagePos> images) const;
  Reclaim FreedByAll() const { return liveness_.FreedByAll(); }
  // Unreferenced now: the next garbage collection frees it without any removal, so it counts for no
  // image.
  Reclaim Dead() const { return liveness_.Dead(); }

  // The containerd records of the CRI's image.  Empty: none was found, or it is not in containerd.
  std::vector<NativeRecord> Records(ImagePos image) const;
  // The digests of the manifests with this image's config.  Several if it was pulled in several
  // compressions.
  std::vector<std::string> Manifests(ImagePos image) const;
  SnapshotUse Use(ImagePos image) const { return uses_[image]; }
  // A snapshot of the CRI's namespace.  kNoNode: there is none.
  Node FindSnapshot(std::string_view snapshotter, std::string_view key) const;
  // The images whose layers are below this snapshot, also with other snapshots in between (user
  // namespaces remap layers into a separate one).  Several if they have the same layers.  Does not
  // include their base images.  Layers of another platform are those of the image whose record
  // refers to both.
  std::vector<ImagePos> ImagesOf(Node snapshot) const;
  // A view or active snapshot of the CRI's namespace in containerd that belongs to no container:
  // `ctr images mount`, a CSI driver for images, or an image that is being unpacked.  In another
  // store: a mounted snapshot.
  struct Mount {
    std::string key;
    std::vector<ImagePos> images;  // of its layers; may be empty
  };
  std::vector<Mount> MountsWithoutContainer() const;
  // Why some images that mounts without a container use may be missing above: a part of the CRI's
  // namespace could not be read. Empty: none is missing.
  std::string WhyMountsAreUnknown() const;

  // For the other files of this folder.
  const ObjectIndex& index() const { return index_; }
  const Attribution& attribution() const { return attribution_; }
  const ObjectGraph& objects() const { return objects_; }
  const Liveness& liveness() const { return liveness_; }

 private:
  // Images by the highest snapshot of each of their platforms, from their records.
  using Tops = std::unordered_map<Node, std::vector<ImagePos>>;
  Tops FindTops() const;
  std::vector<ImagePos> ImagesOf(Node snapshot, const Tops& by_record) const;
  std::vector<Mount> MountedSnapshots() const;
  bool IsInitLayer(Node below, const Snapshot& writable) const;
  void FindUses();
  void FindDoubts();

  std::shared_ptr<const MetadataSnapshot> metadata_;
  ObjectIndex index_;
  Attribution attribution_;
  ObjectGraph objects_;
  Liveness liveness_;
  ByImage<SnapshotUse> uses_;
  // Why all figures are inexact, and in which direction.
  bool may_be_more_ = false, may_be_less_ = false;
  std::string doubts_;
};

}  // namespace imagesweep::layers
