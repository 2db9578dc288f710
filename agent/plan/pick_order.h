#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "agent/plan/gains.h"
#include "agent/plan/scene.h"

namespace imagesweep {

// The order in which images may go for space: least recently used first; of those that are unused
// for equally long the one that frees most after those that went before, then the bigger one, then
// by name.  Whoever takes an image says so to the Gains before asking for the next.
//
// With many equals only the first few are counted anew for each, by what all freed when the first
// of them was due: a plan must not take seconds.
class PickOrder {
 public:
  // `goal`: what is short; inodes count where bytes are not.
  PickOrder(const Scene& scene, Gains& gains, const Space& goal, std::vector<std::uint32_t> images);

  // Empty: there are no more.
  std::optional<std::uint32_t> Next();

 private:
  bool Equals(std::uint32_t one, std::uint32_t other) const;
  std::uint64_t Frees(std::uint32_t at);
  void BeginEquals();

  const Scene& scene_;
  Gains& gains_;
  const bool by_inodes_;
  std::vector<std::uint32_t> images_;
  std::size_t next_ = 0;
  std::size_t end_of_equals_ = 0;
};

}  // namespace imagesweep
