#include "agent/runtime/cri/endpoint.h"

#include <sys/un.h>

namespace imagesweep::cri {
namespace {

Error Refuse(std::string_view text, std::string_view why) {
  return Error{ErrorKind::kInvalid,
               "runtime endpoint \"" + std::string(text) + "\": " + std::string(why) +
                   "; use unix:///run/containerd/containerd.sock or an absolute path"};
}

}  // namespace

Result<Endpoint> ParseEndpoint(std::string_view text) {
  if (text.empty()) return Refuse(text, "the value is empty");
  std::string_view path = text;
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    if (text.substr(0, scheme) != "unix")
      return Refuse(text,
                    "only unix sockets are supported, not " + std::string(text.substr(0, scheme)));
    path.remove_prefix(scheme + 3);
  } else if (text.starts_with("unix:")) {
    path.remove_prefix(5);
  }
  if (!path.starts_with('/')) return Refuse(text, "the path is not absolute");
  if (path.ends_with('/')) return Refuse(text, "the path is a directory, not a socket");
  if (path.find('\0') != std::string_view::npos)
    return Refuse(text, "the path contains a NUL byte");
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return Refuse(text, "the path is longer than a unix socket address can hold (107 bytes)");
  return Endpoint{std::string(path)};
}

std::vector<Endpoint> DefaultEndpoints(std::string_view prefix) {
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  std::vector<Endpoint> endpoints;
  for (const std::string_view path : {
           "/run/containerd/containerd.sock",
           "/run/crio/crio.sock",
           "/run/cri-dockerd.sock",
           "/run/k3s/containerd/containerd.sock",
           "/run/k0s/containerd.sock",
           "/var/snap/microk8s/common/run/containerd.sock",
       })
    endpoints.push_back({std::string(prefix) + std::string(path)});
  return endpoints;
}

}  // namespace imagesweep::cri
