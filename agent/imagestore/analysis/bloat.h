#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/imagestore/analysis/sharing.h"
#include "agent/imagestore/graph/layer_chains.h"
#include "agent/model/image_pos.h"

namespace imagesweep::layers {

// One line of a Dockerfile, or of its copies in several projects, and all layers that it created.
struct BuildLine {
  std::string text;                   // of its largest layer; of equals, the first in order
  std::uint64_t bytes = 0;            // of all its layers
  std::vector<std::uint32_t> layers;  // in LayerChains::layers, ascending
  std::vector<ImagePos> images;       // that carry any of them, ascending
};

struct BloatLimits {
  std::size_t heaviest = 10;           // layers listed
  std::uint64_t min_bytes = 10 << 20;  // smaller layers are ignored
  double tolerance = 0.03;             // relative difference of sizes that count as equal
};

// Layers with the same instruction and size that are on disk once for each project, for example the
// same copied context or the same installed packages in images without a common base.
struct LookAlikes {
  std::string instruction;                // of the largest
  std::vector<std::uint32_t> layers;      // in LayerChains::layers, largest first
  std::vector<std::string> repositories;  // of the images that carry them, sorted
  bool identical = false;                 // the same content (diff ID) on different parents
  // Different content (diff IDs) of the same Dockerfile instruction, word for word.  If neither is
  // set, only their sizes and the shape of their instructions are alike.
  bool same_instruction = false;
  std::uint64_t saved = 0;  // bytes saved by one layer instead of one per repository
};

enum class AdviceKind {
  kShareLayer,     // look-alikes of one instruction: build a base image with the layer
  kOrderLayers,    // identical content on different parents: put it further down
  kHeavyLayer,     // one instruction makes a large layer that several images carry apart
  kManyTags,       // one image under several tags of a repository
  kSameLayers,     // images that differ only in their configuration
  kPatchVersions,  // bases that differ only in the patch version
  kSimilarLayers,  // look-alikes without evidence that one instruction built them
};

std::string_view ToString(AdviceKind kind);  // "share-layer"

// A possible improvement.
struct Advice {
  AdviceKind kind = AdviceKind::kShareLayer;
  // The bytes that it saves on this node; 0: it saves no space.  kSimilarLayers saves them only if
  // the content is the same.  For kHeavyLayer, this is the total size of the layer instead.
  std::uint64_t bytes = 0;
  std::string subject;           // instruction, repository, "PYTHON_VERSION 3.11: 3.11.4, 3.11.9"
  std::vector<ImagePos> images;  // ascending
};

// The sharing of layers on this node, and layers that could be shared.
struct Bloat {
  Sharing sharing;
  LayerChains chains;
  std::vector<std::uint32_t> heaviest;  // in chains.layers, largest first
  std::vector<BuildLine> lines;         // the heaviest first
  std::vector<LookAlikes> look_alikes;  // most saved first
  std::vector<Advice> advice;           // most saved first, then similar layers, then heavy layers
  // The number of images with layers but without a history.  They are compared only by content.
  std::size_t without_history = 0;
};

// Pure.  The result does not depend on the order of the images.  `images`: the list that the graph
// was built with.
Bloat FindBloat(const LayerGraph& graph, std::span<const Image> images, BloatLimits limits = {});

// The parts of it.
std::vector<LookAlikes> FindLookAlikes(const LayerChains& chains, std::span<const Image> images,
                                       const BloatLimits& limits);
std::vector<Advice> FindPatchVersions(const LayerGraph& graph, const LayerChains& chains,
                                      std::span<const Image> images);

}  // namespace imagesweep::layers
