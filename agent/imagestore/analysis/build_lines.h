#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/imagestore/graph/layer_chains.h"

namespace imagesweep::layers {

// One line of a Dockerfile, or of its copies in several projects, and all layers that it created.
struct BuildLine {
  std::string text;                   // of its largest layer; of equals, the first in order
  std::uint64_t bytes = 0;            // of all its layers
  std::vector<std::uint32_t> layers;  // in LayerChains::layers, ascending
  std::vector<std::uint32_t> images;  // that carry any of them, ascending
};

// The lines that created layers of a known size, the heaviest first.  Two layers belong to one line
// if their instructions have the same shape (InstructionShape).
std::vector<BuildLine> ReadBuildLines(const LayerChains& chains);

}  // namespace imagesweep::layers
