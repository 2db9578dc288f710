#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/model/image_index.h"
#include "agent/model/plan.h"
#include "agent/model/policy.h"

namespace imagesweep {

// A policy and an observation, with what every question asks again and again worked out once: who
// uses which image, which one is the pause image, which repositories have a tagged image.  Holds
// references to both arguments, which must outlive it.  Immutable.
class Scene {
 public:
  Scene(const Policy& policy, const Observation& seen);

  const Policy& policy() const { return policy_; }
  const Observation& seen() const { return seen_; }
  const Image& image(std::uint32_t at) const { return seen_.images[at]; }
  const ImageAge& age(std::uint32_t at) const { return seen_.ages[at]; }

  // Who needs the image, each once, in the order of the evidence.
  std::vector<Referrer> UsedBy(std::uint32_t at) const;
  bool in_use(std::uint32_t at) const { return !used_by_[at].empty(); }
  bool is_sandbox(std::uint32_t at) const { return sandbox_[at]; }
  bool is_self(std::uint32_t at) const { return self_[at]; }

  // For an image without a tag: a tag that another image of one of its repositories carries; the
  // one first seen last, so that it names what replaced it.  Empty when there is none.
  std::string_view TaggedSibling(std::uint32_t at) const;

 private:
  const Policy& policy_;
  const Observation& seen_;
  std::vector<std::vector<std::uint32_t>> used_by_;  // positions in seen.references
  std::vector<bool> sandbox_;
  std::vector<bool> self_;
  struct Newest {
    std::uint32_t image;
    const ImageName* tag;
  };
  std::unordered_map<std::string_view, Newest> newest_tag_;  // by repository
};

// Positions of the images that any of the references means.
std::vector<bool> ReferencedImages(const ImageIndex& index, std::size_t images,
                                   const std::vector<ImageReference>& references);

}  // namespace imagesweep
