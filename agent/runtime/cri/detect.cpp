#include "agent/runtime/cri/detect.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/runtime/cri/runtime.h"

namespace imagesweep::cri {

namespace {

Status Probe(const Endpoint& endpoint, const std::stop_token& stop, Millis patience) {
  if (auto why = ProbeSocket(endpoint.path)) return std::move(*why);
  Runtime runtime(std::make_shared<Connection>(
      endpoint, ConnectionOptions{.read_timeout = patience, .observer = {}}));
  auto identity = runtime.Identity(stop);
  if (identity) return Done{};
  if (identity.error().what.find(endpoint.path) != std::string::npos) return identity.error();
  return std::move(identity).error().Wrap(endpoint.path);
}

}  // namespace

Result<Endpoint> Detect(std::span<const Endpoint> candidates, const std::stop_token& stop,
                        Millis patience) {
  std::string tried;
  auto kind = ErrorKind::kUnavailable;
  for (const Endpoint& candidate : candidates) {
    auto answered = Probe(candidate, stop, patience);
    if (answered) return candidate;
    Error why = std::move(answered).error();
    if (why.kind == ErrorKind::kCancelled) return why;
    if (why.kind == ErrorKind::kDenied) kind = ErrorKind::kDenied;
    tried += "\n  " + why.what;
  }
  return Error{kind, "no container runtime found; name its socket with --runtime-endpoint. Tried:" +
                         (tried.empty() ? " nothing" : tried)};
}

Result<Endpoint> ChooseEndpoint(std::string_view flag, std::string_view prefix,
                                const std::stop_token& stop) {
  if (!flag.empty()) return ParseEndpoint(flag);
  return Detect(DefaultEndpoints(prefix), stop);
}

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

}  // namespace imagesweep::cri
