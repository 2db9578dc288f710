#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"
#include "agent/imagestore/graph/metadata_snapshot.h"

namespace imagesweep::store {

// A layer as an overlay file system stores it: a directory for each.
struct StoredLayer {
  std::string id;
  std::string parent;                  // empty for the lowest
  std::optional<layers::Usage> usage;  // empty: unknown, or not asked for
};

struct StoredImage {
  struct Step {
    std::string created_by;
    bool empty_layer = false;
  };
  std::string id;                          // 64 hex digits, with or without "sha256:"
  std::string top_layer;                   // empty: the image has no layers
  std::vector<std::string> mapped_layers;  // copies of the top layer for user namespaces
  std::string parent;      // an image that is deleted with its last child, if it has no name
  bool named = true;       // false: only its children hold it, if it has any
  layers::Usage metadata;  // of the image's own files; whole blocks
  std::vector<std::string> diff_ids;  // lowest first
  std::vector<Step> history;
};

struct StoredContainer {
  std::string id;
  std::string image;  // ID; empty if unknown
  std::string layer;  // its writable layer, which is also among the layers
};

// The images, layers and containers of a store that keeps each layer in a directory: the one of
// CRI-O and Podman (containers/storage), or Docker's own.  Plain values, as a reader found them:
// nothing is checked except for the form of the IDs.
struct LayerStore {
  std::string driver;  // "overlay", "overlay2"
  std::vector<StoredImage> images;
  std::vector<StoredLayer> layers;
  std::vector<StoredContainer> containers;
  // Layers of running containers, and of images that are mounted without one: by
  // `podman image mount`, a build (RUN --mount=from=) or an image volume.
  std::vector<std::string> mounted_layers;
  std::vector<layers::Unread> unread;
  // Why images or layers may be missing above: an index could be read only in part.  Empty: none
  // is.
  std::string index_gap;

  // Adds to `unread`.  After many, only the first ones are kept, and the first of each kind.
  void Missed(layers::Unread::What what, std::string why);
  // The same for images or layers that an index has and that could not be read.
  void MissedInIndex(std::string why);
};

// True for 64 lower-case hex digits.  An ID becomes a part of a path only after this check.
bool IsHexId(std::string_view text);
// The ID of an image as a key of the graph: "sha256:" and 64 digits.
std::string ImageKey(std::string_view id);

// The store as the graph wants it, in one namespace.  The rules of both stores, which differ from
// those of containerd's garbage collector:
//
//  - A layer is deleted with the last image above it, unless another layer or a container is on
//    it.  So a layer that nothing refers to (left over from a broken pull, or being pulled) is
//    never deleted with an image, and holds all layers below it.
//  - An image with a container, even a stopped one, is not deleted.
//
// Cycles of parents, repeated IDs and missing layers become Unread::kObjects.
// Sources: containers/storage store.go (DeleteImage); moby layer/layer_store.go (releaseLayer) and
// daemon/images/image_delete.go.  Pure.
layers::MetadataSnapshot ToSnapshot(const LayerStore& store, layers::Disk disk, SystemTime now);

}  // namespace imagesweep::store
