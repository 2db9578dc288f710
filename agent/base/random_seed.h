#pragma once

#include <cstdint>

namespace imagesweep {

// 64 random bits of the kernel, for seeds and names.  Any thread.
std::uint64_t RandomSeed();

}  // namespace imagesweep
