#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep::cri {

// What a registry is asked with.  Never printed and never logged.
struct Credential {
  std::string username;
  std::string password;
  std::string identity_token;
};

// A dockerconfigjson: `auths`, by registry, each with `auth` (base64 of USERNAME:PASSWORD),
// `username` and `password`, or `identitytoken`.
class PullSecret {
 public:
  // kInvalid says which entry is wrong and never what is in it.
  static Result<PullSecret> Parse(std::string_view text);

  // Those of the entries that are meant for the repository, as the kubelet picks them: same host
  // and port, where "*.example.com" is any one label; a path is a prefix, and the longest comes
  // first.  docker.io has the names index.docker.io and registry-1.docker.io as well.
  // Source: kubernetes, pkg/credentialprovider/keyring.go (URLsMatch, Lookup).
  std::vector<Credential> For(std::string_view repository) const;

 private:
  struct Entry {
    std::string host;  // with the port, when there is one
    std::string path;  // "/team", or empty
    Credential credential;
  };
  std::vector<Entry> entries_;  // longest path first
};

}  // namespace imagesweep::cri
