#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "agent/base/result.h"
#include "agent/model/image.h"

namespace imagesweep {

// Keeps a copy of an image that cannot be pulled again.  One thread at a time; blocks for as long
// as the image takes to be written.
class ImageArchiver {
 public:
  virtual ~ImageArchiver() = default;
  // `progress` is called, on the thread of Archive, each time that a part of an image was copied.
  virtual void OnProgress(const std::function<void()>& /*progress*/) {}
  // Where the whole copy lies, durable.  An error: there is none, so the image must stay.
  virtual Result<std::string> Archive(const Image& image, const std::stop_token& stop) = 0;
  // Whether the copy that this archiver made of it is still there, whole.  Any thread, while
  // nothing is being archived.
  virtual bool Has(const Image& /*image*/) { return false; }
};

}  // namespace imagesweep
