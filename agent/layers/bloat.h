#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/layers/build_lines.h"
#include "agent/layers/layer_chains.h"
#include "agent/layers/sharing.h"

namespace imagesweep::layers {

struct BloatLimits {
  std::size_t heaviest = 10;           // layers listed
  std::uint64_t min_bytes = 10 << 20;  // smaller layers are no matter
  double tolerance = 0.03;             // sizes this near are alike
};

// Layers that say the same and weigh the same, yet lie on disk once for each project: the same
// context copied, the same packages installed, by images that have no base in common.
struct LookAlikes {
  std::string instruction;                // of the largest
  std::vector<std::uint32_t> layers;      // in LayerChains::layers, largest first
  std::vector<std::string> repositories;  // of the images that carry them, sorted
  bool identical = false;                 // the very same content (diff id), on different parents
  // Different content (diff IDs) of one and the same instruction of a Dockerfile, word for word.
  // Neither: only sizes and the shape of the lines are alike.
  bool same_instruction = false;
  std::uint64_t saved = 0;                // with one in place of one for each repository
};

enum class AdviceKind {
  kShareLayer,     // build a base image with it: look-alikes of one instruction
  kOrderLayers,    // identical content on different parents: put it further down
  kHeavyLayer,     // one instruction makes a large layer that several images carry apart
  kManyTags,       // one image under several tags of a repository
  kSameLayers,     // images that differ in their configuration alone
  kPatchVersions,  // bases that differ in the patch version alone
  kSimilarLayers,  // look-alikes of which no more is known
};

std::string_view ToString(AdviceKind kind);  // "share-layer"

// What could be done, and what for.
struct Advice {
  AdviceKind kind = AdviceKind::kShareLayer;
  // That it would save on this node; 0: tidiness alone.  Of similar layers: if their content were
  // the same.  Of a heavy layer: all that it takes.
  std::uint64_t bytes = 0;
  std::string subject;  // instruction, repository, "PYTHON_VERSION 3.11: 3.11.4, 3.11.9"
  std::vector<std::uint32_t> images;  // ascending
};

// How layers are shared on this node, and where they could be shared and are not.
struct Bloat {
  Sharing sharing;
  LayerChains chains;
  std::vector<std::uint32_t> heaviest;  // in chains.layers, largest first
  std::vector<BuildLine> lines;         // the heaviest first
  std::vector<LookAlikes> look_alikes;  // most saved first
  std::vector<Advice> advice;           // most saved first, then similar and then heavy layers
  // Images with layers; these are compared by content alone.
  std::size_t without_history = 0;
};

// Pure, and the same whatever the order of the images.  `images`: the list that the graph was built
// with.
Bloat FindBloat(const LayerGraph& graph, std::span<const Image> images, BloatLimits limits = {});

// The parts of it.
std::vector<LookAlikes> FindLookAlikes(const LayerChains& chains, std::span<const Image> images,
                                       const BloatLimits& limits);
std::vector<Advice> FindPatchVersions(const LayerGraph& graph, const LayerChains& chains,
                                      std::span<const Image> images);

}  // namespace imagesweep::layers
