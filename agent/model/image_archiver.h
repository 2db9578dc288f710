#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "agent/base/result.h"
#include "agent/model/image.h"

namespace imagesweep {

// Writes a copy of an image that cannot be pulled again.  One thread at a time.  Blocks until the
// copy is written.
class ImageArchiver {
 public:
  virtual ~ImageArchiver() = default;
  // Archive() calls `progress` on its thread after each part of an image.
  virtual void OnProgress(const std::function<void()>& /*progress*/) {}
  // Returns the location of the complete and durable copy.  On an error there is no copy, so the
  // image must stay.
  virtual Result<std::string> Archive(const Image& image, const std::stop_token& stop) = 0;
  // True if the copy that this archiver made is still complete.  Any thread, but not during
  // Archive().
  virtual bool Has(const Image& /*image*/) { return false; }
};

}  // namespace imagesweep
