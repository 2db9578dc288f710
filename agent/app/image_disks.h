#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "agent/model/ports.h"

namespace imagesweep {

// The file systems that images lie on, each once, and what could not be read of them.
struct ImageDisks {
  std::vector<DiskUsage> disks;
  std::vector<std::string> problems;
};

// All image filesystems of the runtime, and the file system of containerd's content store, which
// ImageFsInfo does not name: it may be another one than that of the snapshotter beside it.
ImageDisks ReadImageDisks(RuntimeReader& runtime, Filesystem& filesystem,
                          const std::stop_token& stop);

}  // namespace imagesweep
