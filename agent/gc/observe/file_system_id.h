#pragma once

#include <string>

#include "agent/base/result.h"

namespace imagesweep {

// A text that is the same for all directories on one file system: its device number or, for btrfs,
// whose subvolumes have device numbers of their own, its UUID.  Valid until the file system is
// mounted again.  kNotFound: the directory does not exist.
Result<std::string> FileSystemId(const std::string& directory);

}  // namespace imagesweep
