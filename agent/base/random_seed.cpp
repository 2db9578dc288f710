#include "agent/base/random_seed.h"

#include <random>

namespace imagesweep {

std::uint64_t RandomSeed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace imagesweep
