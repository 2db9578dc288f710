#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep::cri {

// The address of a runtime: the absolute path of a unix socket.
struct Endpoint {
  std::string path;

  // "unix:///run/containerd/containerd.sock", as the kubelet and crictl write it.
  std::string Uri() const { return "unix://" + path; }

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Parses "unix:///path", "unix:/path", or an absolute "/path". Any other text is kInvalid, with a
// message for the user: empty text, a relative path, tcp:// and http://, and a path longer than the
// address of a unix socket can hold (107 bytes, unix(7)).
Result<Endpoint> ParseEndpoint(std::string_view text);

// The default addresses of the runtimes, in the order in which Detect tries them. `prefix` is the
// directory at which the files of the host are mounted ("/host"), or empty. Sources: the kubelet's
// container-runtimes page and the defaults of containerd, CRI-O, cri-dockerd, k3s and RKE2, k0s,
// and MicroK8s.
std::vector<Endpoint> DefaultEndpoints(std::string_view prefix = {});

}  // namespace imagesweep::cri
