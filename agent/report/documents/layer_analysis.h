#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/report/render/page.h"

namespace imagesweep {

// How the images of a node share layers, and where they could share more.  Sizes are blocks on
// disk.  Lists are complete, the most important first; `limit` below cuts the output.
struct LayerAnalysis {
  struct Layer {
    std::string chain_id;
    std::string instruction;          // of the build that made it; empty: not known
    std::uint64_t bytes = 0;          // unpacked
    std::vector<std::string> images;  // that contain it
  };
  // One line of a Dockerfile, and all layers that it created.
  struct Instruction {
    std::string text;
    std::uint64_t bytes = 0;  // of all its layers
    std::size_t layers = 0;
    std::vector<std::string> images;
  };
  // Separate layers on disk with the same instruction and about the same size.
  struct LookAlikes {
    std::string instruction;  // empty: not known; their content is the same then
    std::uint64_t bytes = 0;  // of the largest
    std::size_t layers = 0;
    std::vector<std::string> repositories;  // of the images that contain them
    bool identical = false;                 // identical content on different parents
    std::uint64_t saved_bytes = 0;          // with one layer instead of one per repository
    bool same_instruction = false;          // different content (diff IDs) of one instruction
  };
  // Images that differ only a little.
  struct Twins {
    std::string what;  // "registry/app: v1, v2", "PYTHON_VERSION 3.11: 3.11.4, 3.11.9"
    std::uint64_t saved_bytes = 0;
    std::vector<std::string> images;
  };
  struct Advice {
    std::string kind;         // "share-layer"
    std::uint64_t bytes = 0;  // the saving; for "heavy-layer", the size
    std::string subject;
    std::vector<std::string> images;
  };

  std::string node;
  std::string observed_at;
  std::size_t images = 0;
  std::size_t layers = 0;
  std::uint64_t apparent_bytes = 0;  // the images' totals added up
  std::uint64_t on_disk_bytes = 0;   // each layer once
  std::vector<Layer> heaviest;
  std::vector<Instruction> instructions;
  std::vector<LookAlikes> look_alikes;
  std::vector<Twins> many_tags;       // one image under several tags of a repository
  std::vector<Twins> same_layers;     // images that differ only in their configuration
  std::vector<Twins> patch_versions;  // base images that differ only in the patch version
  std::vector<Advice> advice;
  std::size_t without_history = 0;          // images with layers
  std::vector<std::string> without_layers;  // images without unpacked layers
  std::vector<std::string> unread;          // errors of reads

  // Sizes of all images divided by the space on disk; 1 if nothing is shared.
  double ReuseRatio() const;
  // The part of the sizes of all images that is already on disk for another image: 0 if nothing is
  // shared, 90 if nine of ten uses need no space.
  double ReusePercent() const;
  std::uint64_t SavableBytes() const;  // of all look-alikes
};

// One line: the recommended action.
std::string AdviceText(const LayerAnalysis::Advice& advice);

// At most `limit` rows in each list.
Page MakeLayerPage(const LayerAnalysis& analysis, std::size_t limit);
// kind LayerAnalysis.
std::string LayerAnalysisJson(const LayerAnalysis& all, std::size_t limit);

}  // namespace imagesweep
