#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/report/page.h"

namespace imagesweep {

// How the images of a node share their layers, and where they could and do not.  Sizes are blocks
// on disk.  Lists are complete, the most important first; `limit` below cuts what is shown.
struct LayerAnalysis {
  struct Layer {
    std::string chain_id;
    std::string instruction;          // of the build that made it; empty: not known
    std::uint64_t bytes = 0;          // unpacked
    std::vector<std::string> images;  // that carry it
  };
  // One line of a Dockerfile, and all layers that it made.
  struct Instruction {
    std::string text;
    std::uint64_t bytes = 0;  // of all its layers
    std::size_t layers = 0;
    std::vector<std::string> images;
  };
  // Layers that say the same and weigh the same, yet lie on disk apart.
  struct LookAlikes {
    std::string instruction;  // empty: not known; their content is the same then
    std::uint64_t bytes = 0;  // of the largest
    std::size_t layers = 0;
    std::vector<std::string> repositories;  // of the images that carry them
    bool identical = false;                 // the very same content, on different parents
    std::uint64_t saved_bytes = 0;          // with one in place of one for each repository
    // Different content (diff IDs) of one and the same instruction.
    bool same_instruction = false;
  };
  // Images that differ in less than their size says.
  struct Twins {
    std::string what;  // "registry/app: v1, v2", "PYTHON_VERSION 3.11: 3.11.4, 3.11.9"
    std::uint64_t saved_bytes = 0;
    std::vector<std::string> images;
  };
  struct Advice {
    std::string kind;         // "share-layer"
    std::uint64_t bytes = 0;  // that it would save; of "heavy-layer": all that it takes
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
  std::vector<Twins> same_layers;     // images that differ in their configuration alone
  std::vector<Twins> patch_versions;  // bases that differ in the patch version alone
  std::vector<Advice> advice;
  std::size_t without_history = 0;          // images with layers
  std::vector<std::string> without_layers;  // images of which none was found unpacked
  std::vector<std::string> unread;          // what could not be read

  // How many times what is on disk is used; 1 when nothing is shared.
  double ReuseRatio() const;
  // Which part of the layers that the images name is there already, once they are on disk: 0 when
  // nothing is shared, 90 when of ten uses nine cost nothing.
  double ReusePercent() const;
  std::uint64_t SavableBytes() const;  // of all look-alikes
};

// One sentence: what to do.
std::string AdviceText(const LayerAnalysis::Advice& advice);

// At most `limit` rows in each list.
Page MakeLayerPage(const LayerAnalysis& analysis, std::size_t limit);
// kind LayerAnalysis.
std::string LayerAnalysisJson(const LayerAnalysis& all, std::size_t limit);

}  // namespace imagesweep
