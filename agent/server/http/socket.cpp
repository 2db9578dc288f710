#include "agent/server/http/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace imagesweep {
namespace {

struct HostPort {
  std::string host, port;
};

// An empty port means an invalid form.
HostPort Split(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return {};
  HostPort parts{address.substr(0, colon), address.substr(colon + 1)};
  if (parts.port.empty() || parts.port.size() > 5 ||
      parts.port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoi(parts.port) > 65535)
    return {};
  if (parts.host.starts_with('[') && parts.host.ends_with(']'))
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  else if (parts.host.find(':') != std::string::npos)
    return {};  // an IPv6 address without its brackets
  return parts;
}

// Bounds the memory of the kernel per client.
constexpr int kReceiveBuffer = 16 * 1024;
constexpr int kSendBuffer = 128 * 1024;
constexpr int kBacklog = 1024;

// Returns errno, or 0.
int TryListen(const addrinfo& at, Fd& listener) {
  Fd fd(socket(at.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  const int off = 0;
  if (fd.get() < 0) return errno;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at.ai_family == AF_INET6)
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);  // also IPv4 clients
  // Clients inherit both.
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
  if (bind(fd.get(), at.ai_addr, at.ai_addrlen) != 0 || listen(fd.get(), kBacklog) != 0)
    return errno;
  listener = std::move(fd);
  return 0;
}

bool IsLoopback(const sockaddr_storage& address) {
  constexpr std::uint32_t kLoopbackNet = 127;
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return ntohl(v4.sin_addr.s_addr) >> 24 == kLoopbackNet;
  }
  if (address.ss_family != AF_INET6) return false;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == kLoopbackNet);
}

}  // namespace

Fd::~Fd() {
  if (number_ >= 0) close(number_);
}

Result<Fd> Listen(const std::string& address) {
  const HostPort parts = Split(address);
  if (parts.port.empty())
    return Error{ErrorKind::kInvalid, "listen address \"" + address + "\" is not HOST:PORT"};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(parts.host.empty() ? nullptr : parts.host.c_str(),
                                 parts.port.c_str(), &hints, &found);
  if (failed != 0)
    return Error{ErrorKind::kUnavailable,
                 "cannot listen on " + address + ": " + gai_strerror(failed)};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
  Fd listener;
  int error = 0;
  // For every address, IPv6 first: its socket serves both.  For a name with both, such as
  // localhost, clients use IPv4 more often.
  const bool every = parts.host.empty();
  for (const int family : {every ? AF_INET6 : AF_INET, every ? AF_INET : AF_INET6})
    for (const addrinfo* at = found; at != nullptr && listener.get() < 0; at = at->ai_next)
      if (at->ai_family == family) error = TryListen(*at, listener);
  if (listener.get() >= 0) return listener;
  return Error{ErrorKind::kUnavailable,
               "cannot listen on " + address + ": " + std::generic_category().message(error)};
}

Peer Accept(const Fd& listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  Peer peer;
  peer.fd = Fd(accept4(listener.get(), reinterpret_cast<sockaddr*>(&address), &size,
                       SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (peer.fd.get() < 0)
    peer.error = errno;
  else
    peer.local = IsLoopback(address);
  return peer;
}

}  // namespace imagesweep
