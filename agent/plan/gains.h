#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/layers/marginal.h"
#include "agent/plan/order.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// What removals free, one after the other: by the layers where they are known, else by the
// runtime's sizes, which know nothing of sharing.  Nobody tells how many inodes an image has then:
// each is taken to have its share of all that are used, which is too many, so too few images go
// rather than too many.
class Gains {
 public:
  explicit Gains(const Scene& scene);

  void Add(std::uint32_t at);
  // What it would add to those that were; empty: the layers do not say.
  std::optional<Space> Next(std::uint32_t at);
  // It is known to free less than 1 MiB now, and not many inodes where inodes are short.  What it
  // shares with images that stay does not come free.
  bool TooLittle(std::uint32_t at, const Space& goal);
  // Of images that free too little each: a few that free enough together, in their order, the last
  // of which is the one that makes it enough; empty: there are none.
  std::vector<std::uint32_t> EnoughTogether(const std::vector<std::uint32_t>& images,
                                            const Space& goal);

  bool Reached(const Space& goal) const;
  std::string Of(const Space& goal) const;  // "1.2 GiB of 3 GiB"

 private:
  bool Knows(std::uint32_t at) const;
  std::uint64_t Inodes() const;

  const Scene& scene_;
  std::optional<layers::Marginal> marginal_;
  std::vector<std::uint32_t> added_;
  std::uint64_t all_bytes_ = 0;
  Space total_;  // inodes: of images whose layers are known
  std::uint64_t bytes_by_size_ = 0;
};

// Says in each decision to remove what it frees in that order, where the layers are known.
void PredictInOrder(const Scene& scene, Plan& plan);

}  // namespace imagesweep
