#pragma once

#include <memory>
#include <string>

#include "agent/model/ports.h"
#include "agent/registry/http_client.h"
#include "agent/runtime/cri/pull_secret.h"

namespace imagesweep {

// The credentials in a file of type dockerconfigjson; none if the path is empty.
Result<cri::PullSecret> ReadPullSecret(const std::string& path);

// Checks images in registries for keep.verifyRegistry.  Reads the file with the credentials each
// time, so that a rotated secret applies at once.  If the file cannot be read, the image is kept.
class RegistryAccess final : public RegistryVerifier {
 public:
  explicit RegistryAccess(std::string pull_secret_file);
  Result<Origin> Verify(const Image& image, const std::stop_token& stop) override;

 private:
  const std::string pull_secret_file_;
  const std::unique_ptr<registry::HttpClient> client_;
};

}  // namespace imagesweep
