#pragma once

#include <stop_token>
#include <string>
#include <unordered_map>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/runtime/store/image_config.h"
#include "agent/runtime/store/layer_store.h"
#include "agent/runtime/store/layer_usages.h"

namespace imagesweep::store {

struct ContainersStorageOptions {
  std::string root = "/var/lib/containers/storage";  // "graphroot" of storage.conf
  // "runroot" of storage.conf, with the mounts of layers, and with "transient_store" also layers of
  // containers.  Empty: it is not read.
  std::string run_root;
  // Also reads the config of each image, for the analysis of layers.
  bool configs = false;
  Millis budget = std::chrono::seconds(60);  // see LayerUsages
};

// Reads the store of CRI-O, Podman and Buildah (containers/storage, driver "overlay") from its
// files, without its locks: all indexes are replaced by rename(2), so that each is whole.  Images
// are read first and once more at the end; if they changed, everything is read again, three times
// at most. Reads only.  One thread at a time.
//
// An image's own files are overlay-images/ID.  A layer's files are overlay/ID, its link in
// overlay/l, and overlay-layers/ID and ID.tar-split.gz.  The indexes themselves (images.json and
// others) may become a block shorter with a removal, which is not predicted.
//
// Sources: containers/storage store.go, images.go, layers.go, drivers/overlay/overlay.go (1.38 to
// 1.59).
class ContainersStorage {
 public:
  ContainersStorage(const Clock& clock, ContainersStorageOptions options);

  // kNotFound: there is no store of this kind below the root, it has another driver, or this
  // process may not open it.  kDenied or kIncomplete: a part of it cannot be read.  kCancelled. All
  // other gaps are in LayerStore::unread.
  Result<LayerStore> Read(const std::stop_token& stop);

 private:
  Status ReadIndexes(const Directory& root, LayerStore& store, const std::stop_token& stop) const;
  void ReadVolatile(LayerStore& store) const;
  Status ReadImages(const Directory& images, LayerStore& store, const std::stop_token& stop);

  const ContainersStorageOptions options_;
  LayerUsages usages_;
  std::unordered_map<std::string, ImageConfig> configs_;  // by image ID
};

}  // namespace imagesweep::store
