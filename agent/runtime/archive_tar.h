#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace imagesweep {

// Headers of tar files as an archive has them: regular files with short names. Source:
// POSIX.1-2017, pax, "ustar Interchange Format". Sizes of 8 GiB and above are in base 256, as in
// GNU tar and Go's archive/tar.

constexpr std::size_t kTarBlock = 512;
using TarBlock = std::array<char, kTarBlock>;

struct TarEntry {
  std::string name;
  std::uint64_t size = 0;
  bool is_file = true;
};

// `name` has at most 100 bytes.
TarBlock TarHeader(const TarEntry& entry);
// kInvalid if the block is not a header, or is damaged.
Result<TarEntry> ParseTarHeader(const TarBlock& block);
bool IsEndOfTar(const TarBlock& block);

// The number of bytes from the end of `size` bytes to the next header.
constexpr std::uint64_t TarPadding(std::uint64_t size) {
  return (kTarBlock - size % kTarBlock) % kTarBlock;
}

}  // namespace imagesweep
