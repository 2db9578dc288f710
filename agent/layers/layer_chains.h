#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/layers/graph.h"

namespace imagesweep::layers {

// One layer on disk: a snapshot that images of the CRI consist of.
struct LayerUse {
  Node snapshot = kNoNode;
  std::string chain_id;
  std::uint64_t bytes = 0;            // of its own; 0 when unknown
  std::string created_by;             // empty: no history, or one that does not fit
  Key diff_id = kNoKey;               // of its content; kNoKey when not known
  std::vector<std::uint32_t> images;  // that carry it, ascending
};

// The layers of all images, each once, and each image's own list.
struct LayerChains {
  std::vector<LayerUse> layers;
  // Parallel to the images: positions in `layers`, lowest first.
  std::vector<std::vector<std::uint32_t>> of_image;
  // Parallel to the images: has a history with a step for each layer.
  std::vector<bool> has_history;
};

// A history fits when it has as many steps with a layer as the image has layers; builders that
// squash (kaniko, bazel, ko) often leave it out.
LayerChains ReadLayerChains(const LayerGraph& graph);

}  // namespace imagesweep::layers
