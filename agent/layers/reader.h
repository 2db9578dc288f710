#pragma once

#include <memory>
#include <span>
#include <stop_token>

#include "agent/base/result.h"
#include "agent/layers/graph.h"
#include "agent/model/image.h"

namespace imagesweep::layers {

// Where a LayerGraph comes from.
class LayerReader {
 public:
  virtual ~LayerReader() = default;
  // One look at everything, for these images, which are one answer of ListImages.  What could not
  // be read is in the graph's figures (Certainty); an error means that there are none.  kNotFound:
  // this runtime has no such services, and never will; go on without.
  virtual Result<std::shared_ptr<const LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token& stop) = 0;
};

}  // namespace imagesweep::layers
