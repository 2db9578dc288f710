#pragma once

#include <memory>
#include <span>
#include <stop_token>

#include "agent/base/result.h"
#include "agent/imagestore/graph/graph.h"
#include "agent/model/image.h"

namespace imagesweep::layers {

// The source of LayerGraphs.
class LayerReader {
 public:
  virtual ~LayerReader() = default;
  // Reads all layers for these images, which are one answer of ListImages.  Parts that could not be
  // read make the figures inexact (Certainty).  An error means that there are no figures.
  // kNotFound: this runtime does not offer them.
  virtual Result<std::shared_ptr<const LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token& stop) = 0;
};

}  // namespace imagesweep::layers
