#pragma once

#include "agent/model/ports.h"

namespace imagesweep {

// statvfs(3).  The path is the runtime's; inside a pod it must be mounted at the same place.
class StatvfsFilesystem final : public Filesystem {
 public:
  Result<DiskUsage> Stat(const std::string& mountpoint) override;
};

// Checks figures as they came: capacity 0 is an error, more available than there is, is clamped, as
// the kubelet does (image_gc_manager.go).
Result<DiskUsage> CheckedUsage(DiskUsage usage);

}  // namespace imagesweep
