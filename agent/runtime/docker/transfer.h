#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/model/ports.h"
#include "agent/runtime/docker/client.h"

namespace imagesweep::docker {

// A user and a password for a registry. Empty: anonymous.
struct RegistryLogin {
  std::string user, password;
};

// Pulls `reference` through the daemon. Errors as the daemon tells them in its stream of progress.
Status Pull(const Client& client, const std::string& reference, const RegistryLogin& login,
            Millis limit, const std::stop_token& stop);

// Loads an archive (POST /images/load). The archive must hold only the image `id` and only names of
// `names`: it is read completely before the first byte is sent (kInvalid otherwise).
Status Load(const Client& client, const std::filesystem::path& archive, const std::string& id,
            const std::vector<std::string>& names, Millis limit, const std::stop_token& stop);

// Writes images to archives with GET /images/get, for keep.archive. One thread at a time.
class EngineArchiver final : public ImageArchiver {
 public:
  struct Options {
    std::string directory;
    std::uint64_t max_size = 0;  // of all archives in the directory, in bytes; 0: no limit
  };
  EngineArchiver(const Client& client, Options options);
  void OnProgress(const std::function<void()>& progress) override { progress_ = progress; }
  Result<std::string> Archive(const Image& image, const std::stop_token& stop) override;
  bool Has(const Image& image) override;

 private:
  const Client& client_;
  const Options options_;
  std::function<void()> progress_;
};

}  // namespace imagesweep::docker
