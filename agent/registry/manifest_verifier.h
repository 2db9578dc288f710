#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/ports.h"
#include "agent/registry/http_client.h"

namespace imagesweep::registry {

// A user name and a password.  Never printed and never logged.
struct Login {
  std::string username;
  std::string password;
};
// Returns the logins that may apply to a repository ("quay.io/team/app"), best first.
using Logins = std::function<std::vector<Login>(std::string_view repository)>;

// Asks the registry of each repository of an image whether it has the manifest: HEAD
// /v2/NAME/manifests/DIGEST.  Only 200 with this digest in Docker-Content-Digest confirms it.  Any
// other response, and no response, is an error that tells the cause.  Tries each login and then no
// login, as the kubelet does.  Requests a token to pull from the token service, which must use
// HTTPS or be on this host.
//
// Uses registry-1.docker.io for docker.io.  Uses HTTP for registries on this host (localhost,
// 127.0.0.0/8, [::1]), as containerd does, and HTTPS for all others.  Does not use mirrors, so the
// answer is that of the registry in the name.
//
// Source: distribution/distribution-spec, spec.md, "Checking if content exists in the registry";
// containerd core/remotes/docker/registry.go (MatchLocalhost, DefaultHost).
class ManifestVerifier final : public RegistryVerifier {
 public:
  // `client` must outlive it.  `limit` is for each request.
  ManifestVerifier(HttpClient& client, Logins logins, Millis limit = std::chrono::seconds(30));

  Result<Origin> Verify(const Image& image, const std::stop_token& stop) override;

 private:
  struct Target;
  Status Has(const std::string& repository, const std::string& digest, const std::stop_token& stop);
  Result<HttpReply> Send(const Target& target, const Login* login, const std::stop_token& stop);
  Result<std::string> Token(const Target& target, const std::string& header, const Login* login,
                            const std::stop_token& stop);

  HttpClient& client_;
  const Logins logins_;
  const Millis limit_;
};

}  // namespace imagesweep::registry
