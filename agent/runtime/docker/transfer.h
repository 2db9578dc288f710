#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
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

// Pulls `reference` through the daemon. Errors: kDenied (the registry refuses this login),
// kNotFound (it does not have the image), and others with the words of the daemon. Only kDenied and
// kNotFound come from its words, because it reports most failures in its stream of progress, and
// all of them with status 200, 404, or 500.
Status Pull(const Client& client, const std::string& reference, const RegistryLogin& login,
            Millis limit, const std::stop_token& stop);

// Loads an archive (POST /images/load). The archive must have only the image `id` and only names of
// `names`: it is read completely before the first byte is sent (kInvalid otherwise). kIncomplete:
// the daemon reported success, but does not have the image.
Status Load(const Client& client, const std::filesystem::path& archive, const std::string& id,
            const std::vector<std::string>& names, Millis limit, const std::stop_token& stop);

// Writes images to archives with GET /images/get, for keep.archive. One thread at a time.
//
// An archive gets its name only when it is complete, on disk, and checked: it has this image and
// no other. Until then it takes space besides the others. Then the oldest archives are deleted
// until all fit below max_size, but none that this archiver wrote. Errors: as ArchiveDirectory, and
// kInvalid if the image is larger than max_size or the archive is not that of the image.
class EngineArchiver final : public ImageArchiver {
 public:
  struct Options {
    std::string directory;
    std::uint64_t max_size = 0;  // of all archives in the directory, in bytes; 0: no limit
    Millis limit = std::chrono::minutes(15);  // for one image
  };
  // `client` must outlive this object.
  EngineArchiver(const Client& client, Options options);
  void OnProgress(const std::function<void()>& progress) override { progress_ = progress; }
  Result<std::string> Archive(const Image& image, const std::stop_token& stop) override;
  bool Has(const Image& image) override;

 private:
  const Client& client_;
  const Options options_;
  std::function<void()> progress_;
  std::map<std::filesystem::path, std::uint64_t> written_;  // with their sizes
};

}  // namespace imagesweep::docker
