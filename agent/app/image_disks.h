#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "agent/model/ports.h"

namespace imagesweep {

// The file systems that hold images, each once, and the errors of those that cannot be read.
struct ImageDisks {
  std::vector<DiskUsage> disks;
  std::vector<std::string> problems;
};

// All image filesystems of the runtime, and the file system of containerd's content store.
// ImageFsInfo does not report the latter, which may differ from that of the snapshotter.
ImageDisks ReadImageDisks(RuntimeReader& runtime, Filesystem& filesystem,
                          const std::stop_token& stop);

}  // namespace imagesweep
