#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep::cri {

// Where a runtime listens: the absolute path of a unix socket.
struct Endpoint {
  std::string path;

  // "unix:///run/containerd/containerd.sock", as the kubelet and crictl write it.
  std::string Uri() const { return "unix://" + path; }

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// "unix:///path", "unix:/path" or a bare absolute "/path".  kInvalid, in words for the person who
// wrote it, for anything else: no text, a relative path, tcp:// and http://, and a path longer than
// a unix socket address can hold (107 bytes, unix(7)).
Result<Endpoint> ParseEndpoint(std::string_view text);

// Where runtimes listen by default, in the order in which they are asked.  `prefix` is the
// directory below which the host's files are mounted ("/host"), or empty. Source: the kubelet's
// container-runtimes page and the defaults of containerd, CRI-O, cri-dockerd, k3s and RKE2, k0s,
// MicroK8s.
std::vector<Endpoint> DefaultEndpoints(std::string_view prefix = {});

}  // namespace imagesweep::cri
