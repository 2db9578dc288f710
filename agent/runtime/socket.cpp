#include "agent/runtime/socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace imagesweep {

namespace {

Error Explain(const std::string& path, int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return {ErrorKind::kUnavailable,
              path +
                  " does not exist: the runtime is not running, listens elsewhere, or its "
                  "directory is not mounted here"};
    case EACCES:
    case EPERM:
      return {ErrorKind::kDenied,
              path +
                  ": permission denied: run as root, or in the group that owns the socket; with "
                  "SELinux, as spc_t"};
    case ECONNREFUSED:
      return {ErrorKind::kUnavailable,
              path +
                  ": connection refused: the runtime is not running; or the socket file itself "
                  "is mounted here and the runtime was restarted (mount its directory instead)"};
    case EAGAIN:
      return {ErrorKind::kUnavailable, path + " accepts no connections: the runtime hangs"};
    default:
      return {ErrorKind::kUnavailable, path + ": " + std::generic_category().message(code)};
  }
}

}  // namespace

std::optional<Error> ProbeSocket(const std::string& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) return Explain(path, errno);
  if (!S_ISSOCK(file.st_mode)) return Error{ErrorKind::kUnavailable, path + " is not a socket"};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return Explain(path, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Explain(path, errno);
  int code = 0;
  // The one cast that the sockets API asks for.
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) code = errno;
  close(fd);
  if (code != 0) return Explain(path, code);
  return std::nullopt;
}

Result<std::uint64_t> SocketInode(const std::string& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) return Explain(path, errno);
  if (!S_ISSOCK(file.st_mode)) return Error{ErrorKind::kUnavailable, path + " is not a socket"};
  return std::uint64_t{file.st_ino};
}

}  // namespace imagesweep
