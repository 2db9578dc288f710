#include "agent/gc/observe/layers_disk.h"

#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <system_error>

namespace imagesweep {
namespace {

constexpr decltype(statfs::f_type) kXfsMagic = 0x58465342;  // fs/xfs/libxfs/xfs_format.h: "XFSB"

}  // namespace

layers::Disk LayersDisk(const std::string& directory) {
  struct statfs figures {};
  if (statfs(directory.c_str(), &figures) != 0 || figures.f_frsize <= 0) return {};
  layers::Disk disk;
  disk.block_bytes = static_cast<std::uint64_t>(figures.f_frsize);
  switch (figures.f_type) {
    case EXT4_SUPER_MAGIC:  // also of ext2 and ext3
      disk.kind = layers::FileSystem::kExt4;
      break;
    case kXfsMagic:
      disk.kind = layers::FileSystem::kXfs;
      break;
    case BTRFS_SUPER_MAGIC:
      disk.kind = layers::FileSystem::kBtrfs;
      break;
    default:
      break;
  }
  return disk;
}

Result<UsedSpace> UsedOn(const std::string& directory) {
  struct statvfs figures {};
  if (statvfs(directory.c_str(), &figures) != 0) {
    const int code = errno;
    return Error{code == EACCES ? ErrorKind::kDenied : ErrorKind::kUnavailable,
                 "statvfs " + directory + ": " + std::generic_category().message(code)};
  }
  return UsedSpace{(figures.f_blocks - figures.f_bfree) * figures.f_frsize,
                   figures.f_files - figures.f_ffree, figures.f_files > 0};
}

}  // namespace imagesweep
