#include "agent/runtime/store/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

namespace imagesweep::store {
namespace {

constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;

bool IsName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

Error NoName(std::string_view name) {
  return {ErrorKind::kInvalid, "\"" + std::string(name.substr(0, 80)) + "\" is not a file name"};
}

}  // namespace

Error ErrorOf(int code, const std::string& path) {
  ErrorKind kind = ErrorKind::kIncomplete;
  if (code == ENOENT) kind = ErrorKind::kNotFound;
  if (code == EACCES || code == EPERM) kind = ErrorKind::kDenied;
  return {kind, path + ": " + std::generic_category().message(code)};
}

Result<Directory> Directory::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return ErrorOf(errno, path);
  return Directory(fd, path);
}

Directory::Directory(Directory&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

Directory& Directory::operator=(Directory&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

Directory::~Directory() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Directory> Directory::Sub(std::string_view name) const {
  if (!IsName(name)) return NoName(name);
  std::string path = path_ + "/" + std::string(name);
  const int fd = ::openat(fd_, std::string(name).c_str(), kFlags | O_DIRECTORY);
  if (fd < 0) return ErrorOf(errno, path);
  return Directory(fd, std::move(path));
}

Result<Directory> Directory::Below(std::string_view names) const {
  const auto slash = names.find('/');
  auto first = Sub(names.substr(0, slash));
  if (!first || slash == std::string_view::npos) return first;
  return first->Below(names.substr(slash + 1));
}

Result<std::string> Directory::Read(std::string_view name, std::size_t most) const {
  if (!IsName(name)) return NoName(name);
  const std::string path = path_ + "/" + std::string(name);
  const int fd = ::openat(fd_, std::string(name).c_str(), kFlags);
  if (fd < 0) return ErrorOf(errno, path);
  const Directory file(fd, path);  // closes it
  struct stat seen {};
  if (::fstat(fd, &seen) != 0) return ErrorOf(errno, path);
  if (!S_ISREG(seen.st_mode)) return Error{ErrorKind::kIncomplete, path + ": not a regular file"};
  const Error too_long{ErrorKind::kIncomplete,
                       path + ": longer than " + std::to_string(most) + " bytes"};
  if (static_cast<std::uint64_t>(seen.st_size) > most) return too_long;
  std::string text(static_cast<std::size_t>(seen.st_size) + 1, '\0');
  for (std::size_t done = 0;;) {
    const ssize_t count = ::read(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrorOf(errno, path);
    done += static_cast<std::size_t>(count);
    if (count == 0) {
      text.resize(done);
      return text;
    }
    if (done > most) return too_long;
    if (done == text.size()) text.resize(2 * done);
  }
}

Result<std::vector<std::string>> Directory::List(std::size_t most) const {
  // A descriptor of its own, because the position of the directory belongs to it.
  const int fd = ::openat(fd_, ".", kFlags | O_DIRECTORY);
  if (fd < 0) return ErrorOf(errno, path_);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), ::closedir);
  if (stream == nullptr) {
    const int code = errno;
    ::close(fd);
    return ErrorOf(code, path_);
  }
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) break;
    if (!IsName(entry->d_name)) continue;
    if (names.size() == most)
      return Error{ErrorKind::kIncomplete,
                   path_ + ": more than " + std::to_string(most) + " files"};
    names.emplace_back(entry->d_name);
  }
  if (errno != 0) return ErrorOf(errno, path_);
  return names;
}

Result<struct stat> Directory::Stat(std::string_view name) const {
  if (!IsName(name)) return NoName(name);
  struct stat seen {};
  if (::fstatat(fd_, std::string(name).c_str(), &seen, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0)
    return ErrorOf(errno, path_ + "/" + std::string(name));
  return seen;
}

}  // namespace imagesweep::store
