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

struct DockerLayersOptions {
  std::string root = "/var/lib/docker";  // "data-root" of daemon.json
  // Also keeps diff IDs and history, for the analysis of layers.
  bool configs = false;
  Millis budget = std::chrono::seconds(60);  // see LayerUsages
};

// Reads Docker's own store (driver "overlay2", image/overlay2 below the root) from its files.
// Images are listed first and once more at the end; if they changed, everything is read again,
// three times at most.  Reads only.  One thread at a time.
//
// An image's own files are imagedb/content/sha256/HEX and imagedb/metadata/sha256/HEX.  A layer's
// files are layerdb/sha256/CHAIN, overlay2/CACHE-ID, and its link in overlay2/l.  A container's
// image is in containers/ID/config.v2.json.
//
// Sources: moby image/fs.go, layer/filestore.go, daemon/graphdriver/overlay2/overlay.go (20.10 to
// 29).
class DockerLayers {
 public:
  DockerLayers(const Clock& clock, DockerLayersOptions options);

  // kNotFound: there is no such store below the root (it has another driver, or Docker keeps its
  // images in containerd); kDenied or kIncomplete: it cannot be read; kCancelled.  All other gaps
  // are in LayerStore::unread.
  Result<LayerStore> Read(const std::stop_token& stop);

 private:
  struct Listing;
  Result<Listing> ReadAll(const Directory& root, const Directory& image,
                          const std::stop_token& stop);
  Status AddImages(const Directory& image, Listing& listing, const std::stop_token& stop);

  const DockerLayersOptions options_;
  LayerUsages usages_;
  struct Known {
    std::string top_layer;
    ImageConfig config;  // empty without `configs`
  };
  std::unordered_map<std::string, Known> known_;  // by image ID
};

}  // namespace imagesweep::store
