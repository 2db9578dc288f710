#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace imagesweep::cri {

// A credential for a registry. It is never printed and never logged.
struct Credential {
  std::string username;
  std::string password;
  std::string identity_token;
};

// A dockerconfigjson: `auths`, by registry, each with `auth` (base64 of USERNAME:PASSWORD),
// `username` and `password`, or `identitytoken`.
class PullSecret {
 public:
  // kInvalid names the entry that is wrong, never its content.
  static Result<PullSecret> Parse(std::string_view text);

  // The credentials that match the repository, by the rules of the kubelet: the same host and port,
  // where "*" in "*.example.com" matches within one label, and the path as a prefix. The longest
  // path comes first. docker.io also has the names index.docker.io and registry-1.docker.io.
  // Source: kubernetes, pkg/credentialprovider/keyring.go (URLsMatch, Lookup).
  std::vector<Credential> For(std::string_view repository) const;

 private:
  struct Entry {
    std::string host;  // with the port, if it has one
    std::string path;  // "/team", or empty
    Credential credential;
  };
  std::vector<Entry> entries_;  // longest path first
};

}  // namespace imagesweep::cri
