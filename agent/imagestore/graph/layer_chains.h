#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/imagestore/graph/graph.h"
#include "agent/model/image_pos.h"

namespace imagesweep::layers {

// One layer on disk: a snapshot of images of the CRI.
struct LayerUse {
  Node snapshot = kNoNode;
  std::string chain_id;
  std::uint64_t bytes = 0;       // of this layer alone; 0 if unknown
  std::string created_by;        // empty: no history, or one that does not match
  Key diff_id = kNoKey;          // of its content; kNoKey if unknown
  std::vector<ImagePos> images;  // images with this layer, ascending
};

// The layers of all images, each once, and each image's own list.
struct LayerChains {
  std::vector<LayerUse> layers;
  // Positions in `layers`, lowest first.
  ByImage<std::vector<std::uint32_t>> of_image;
  // True if the image has a history with a step for each layer.
  ByImage<bool> has_history;
};

// A history matches if its number of steps with a layer is the image's number of layers.  Builders
// that squash (kaniko, bazel, ko) often omit it.
LayerChains ReadLayerChains(const LayerGraph& graph);

}  // namespace imagesweep::layers
