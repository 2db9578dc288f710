#include "agent/app/filesystem.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace imagesweep {

Result<DiskUsage> CheckedUsage(DiskUsage usage) {
  if (usage.capacity_bytes == 0)
    return Error{ErrorKind::kInvalid,
                 usage.mountpoint + ": the file system says that its size is 0"};
  usage.available_bytes = std::min(usage.available_bytes, usage.capacity_bytes);
  usage.inodes_free = std::min(usage.inodes_free, usage.inodes);
  return usage;
}

Result<DiskUsage> StatvfsFilesystem::Stat(const std::string& mountpoint) {
  struct statvfs figures {};
  if (statvfs(mountpoint.c_str(), &figures) != 0) {
    const int code = errno;
    return Error{code == EACCES ? ErrorKind::kDenied : ErrorKind::kUnavailable,
                 "statvfs " + mountpoint + ": " + std::generic_category().message(code)};
  }
  return CheckedUsage({mountpoint, figures.f_blocks * figures.f_frsize,
                       figures.f_bavail * figures.f_frsize, figures.f_files, figures.f_favail});
}

}  // namespace imagesweep
