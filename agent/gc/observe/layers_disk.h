#pragma once

#include <cstdint>
#include <string>

#include "agent/base/result.h"
#include "agent/imagestore/graph/metadata_snapshot.h"

namespace imagesweep {

// The file system of a directory (statfs(2)); kOther if the directory is not visible, for example
// in a pod that does not mount it.
layers::Disk LayersDisk(const std::string& directory);

// All used space on the file system of a directory.
struct UsedSpace {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
  bool counts_inodes = true;  // false: the file system has no number of inodes (btrfs)
};
Result<UsedSpace> UsedOn(const std::string& directory);

}  // namespace imagesweep
