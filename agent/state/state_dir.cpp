#include "agent/state/state_dir.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace imagesweep {

namespace {

namespace fs = std::filesystem;

Error Failed(const std::string& doing, const fs::path& path, int code) {
  const bool denied = code == EACCES || code == EPERM || code == EROFS;
  const auto kind = denied           ? ErrorKind::kDenied
                    : code == ENOENT ? ErrorKind::kNotFound
                                     : ErrorKind::kUnavailable;
  return {kind, doing + " " + path.string() + ": " + std::generic_category().message(code)};
}

Status MakeDirectory(const fs::path& directory) {
  std::error_code code;
  if (fs::is_directory(directory, code)) return Done{};
  if (directory.has_parent_path()) fs::create_directories(directory.parent_path(), code);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return Failed("mkdir", directory, errno);
  return Done{};
}

}  // namespace

Result<FileIdentity> Identify(const fs::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return Failed("stat", path, errno);
  if (S_ISLNK(info.st_mode))
    return Error{ErrorKind::kInvalid, path.string() + " is a symbolic link, which is not allowed"};
  if (!S_ISREG(info.st_mode))
    return Error{ErrorKind::kInvalid, path.string() + " is not a regular file"};
  return FileIdentity{info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size)};
}

Result<fs::path> PrepareStateFile(const fs::path& directory, const std::string& name) {
  if (auto made = MakeDirectory(directory); !made) return std::move(made).error();
  std::error_code code;
  const fs::path resolved = fs::canonical(directory, code);
  if (code) return Failed("open", directory, code.value());
  fs::path file = resolved / name;
  const int fd =
      ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd >= 0)
    ::close(fd);
  else if (errno != EEXIST)
    return Failed("create", file, errno);
  if (auto identity = Identify(file); !identity) return std::move(identity).error();
  return file;
}

Result<fs::path> SetAside(const fs::path& file) {
  fs::path aside = file;
  aside += ".bad";
  std::error_code code;
  if (fs::symlink_status(aside, code).type() != fs::file_type::not_found) aside += ".1";
  // The journal first: SQLite would apply it to a new file of the same name.
  if (::rename((file.string() + "-journal").c_str(), (aside.string() + "-journal").c_str()) != 0 &&
      errno != ENOENT)
    return Failed("set aside the journal of", file, errno);
  if (::rename(file.c_str(), aside.c_str()) != 0) return Failed("set aside", file, errno);
  return aside;
}

std::string ReadMachineId(const std::filesystem::path& root) {
  std::ifstream file(root / "etc" / "machine-id");
  std::string id;
  std::getline(file, id);
  const bool digits =
      std::ranges::all_of(id, [](unsigned char c) { return std::isxdigit(c) != 0; });
  const bool is_one = id.size() == 32 && digits && id.find_first_not_of('0') != std::string::npos;
  return is_one ? id : std::string();
}

}  // namespace imagesweep
