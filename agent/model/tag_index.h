#pragma once

#include <cstdint>
#include <vector>

#include "agent/model/image_index.h"

namespace imagesweep {

// Which of some tags does a reference name?  Not which image it means: a pod that says "app:v1"
// needs this name, whatever else its image is called.  In doubt it names more of them, as
// ImageIndex does.  Reading is safe from any thread.
class TagIndex {
 public:
  explicit TagIndex(const std::vector<ImageName>& tags);
  // It holds views into itself.
  TagIndex(const TagIndex&) = delete;
  TagIndex& operator=(const TagIndex&) = delete;

  // Positions in `tags`, ascending.  Of "app:v1@sha256:…" the tag counts, though runtimes go by the
  // digest.  None for a name that nobody chose: it says which image is meant, and no more.
  std::vector<std::uint32_t> NamedBy(const ImageReference& reference) const;

 private:
  const std::vector<Image> one_each_;  // as if each tag were an image without an id
  const ImageIndex index_;
};

}  // namespace imagesweep
