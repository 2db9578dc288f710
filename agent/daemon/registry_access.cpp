#include "agent/daemon/registry_access.h"

#include <utility>

#include "agent/daemon/policy_store.h"
#include "agent/registry/manifest_verifier.h"

namespace imagesweep {

Result<cri::PullSecret> ReadPullSecret(const std::string& path) {
  if (path.empty()) return cri::PullSecret();
  const auto text = ReadTextFile(path);
  if (!text) return text.error().Wrap("--pull-secret");
  auto secret = cri::PullSecret::Parse(*text);
  if (!secret) return secret.error().Wrap("--pull-secret " + path);
  return secret;
}

RegistryAccess::RegistryAccess(std::string pull_secret_file)
    : pull_secret_file_(std::move(pull_secret_file)), client_(registry::MakeHttpClient()) {}

Result<Origin> RegistryAccess::Verify(const Image& image, const std::stop_token& stop) {
  const auto secret = ReadPullSecret(pull_secret_file_);
  if (!secret) return secret.error();
  registry::ManifestVerifier verifier(*client_, [&secret](std::string_view repository) {
    std::vector<registry::Login> logins;
    // A token of an identity service is not a password, so registries that need one stay
    // unconfirmed.
    for (cri::Credential& one : secret->For(repository))
      if (!one.username.empty())
        logins.push_back({std::move(one.username), std::move(one.password)});
    return logins;
  });
  return verifier.Verify(image, stop);
}

}  // namespace imagesweep
