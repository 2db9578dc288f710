#include "agent/gc/observe/file_system_id.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/gc/observe/layers_disk.h"

namespace imagesweep {
namespace {

Error Explain(const std::string& directory, int code) {
  return {code == ENOENT   ? ErrorKind::kNotFound
          : code == EACCES ? ErrorKind::kDenied
                           : ErrorKind::kUnavailable,
          "stat " + directory + ": " + std::generic_category().message(code)};
}

std::string Hex(const __u8 (&bytes)[BTRFS_FSID_SIZE]) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const __u8 byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

}  // namespace

Result<std::string> FileSystemId(const std::string& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Explain(directory, errno);
  btrfs_ioctl_fs_info_args btrfs{};
  struct stat file {};
  const bool is_btrfs = LayersDisk(directory).kind == layers::FileSystem::kBtrfs &&
                        ioctl(fd, BTRFS_IOC_FS_INFO, &btrfs) == 0;
  const int failed = fstat(fd, &file) == 0 ? 0 : errno;
  close(fd);
  if (is_btrfs) return "btrfs:" + Hex(btrfs.fsid);
  if (failed != 0) return Explain(directory, failed);
  return std::to_string(major(file.st_dev)) + ":" + std::to_string(minor(file.st_dev));
}

}  // namespace imagesweep
