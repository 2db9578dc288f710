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
// Those that may be meant for a repository ("quay.io/team/app"), best first.
using Logins = std::function<std::vector<Login>(std::string_view repository)>;

// Asks the registry of each repository of an image whether it has the manifest: HEAD
// /v2/NAME/manifests/DIGEST.  Only 200 with this very digest in Docker-Content-Digest is a yes.  Every other answer, and none, is an error that says what is in the way.
// Each login is tried, and then none, as the kubelet does.  A token service is asked for a token to
// pull; it must be reached by HTTPS, or be on this host.
//
// docker.io is asked at registry-1.docker.io.  Registries on this host (localhost, 127.0.0.0/8,
// [::1]) are asked by HTTP, as containerd does; all others by HTTPS.  Mirrors are not asked, so the
// answer is that of the registry which the name says.
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
  Result<HttpReply> Ask(const Target& target, const Login* login, const std::stop_token& stop);
  Result<std::string> Token(const Target& target, const std::string& header, const Login* login,
                            const std::stop_token& stop);

  HttpClient& client_;
  const Logins logins_;
  const Millis limit_;
};

}  // namespace imagesweep::registry
