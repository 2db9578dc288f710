#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "agent/base/clock.h"
#include "agent/model/ports.h"
#include "agent/runtime/archive_files.h"

namespace grpc {
class Channel;
}

namespace imagesweep::containerd {

struct ArchiveOptions {
  std::filesystem::path directory;
  std::uint64_t max_size = 0;  // sum of all archives in the directory
  std::string cri_namespace = "k8s.io";
  Millis timeout = std::chrono::minutes(15);  // for one image
};

using imagesweep::ArchiveFile;

// Copies images from containerd's content store into files that any tool can read: a tar of an OCI
// image layout, with all names of the image. The digest of each blob is checked during the copy.
//
// An archive gets its name only when it is complete and on disk. If space is needed, the oldest
// archives are deleted, but none that this archiver wrote, because their images may be removed at
// any moment. On an error, the directory keeps its archives, except those that were deleted for
// space. The errors are: the image is larger than max_size, or than the space that this archiver
// has left of it (kInvalid); containerd does not have all blobs of the image, as with
// discard_unpacked_layers (kIncomplete); another process writes archives in the directory
// (kUnavailable); no disk space; no permission.
class Archiver final : public ImageArchiver {
 public:
  Archiver(const std::shared_ptr<grpc::Channel>& channel, ArchiveOptions options);
  ~Archiver() override;

  void OnProgress(const std::function<void()>& progress) override { progress_ = progress; }
  Result<std::string> Archive(const Image& image, const std::stop_token& stop) override;
  bool Has(const Image& image) override;

 private:
  struct Stubs;
  const ArchiveOptions options_;
  const std::unique_ptr<Stubs> stubs_;
  std::function<void()> progress_;
  std::map<std::filesystem::path, std::uint64_t> written_;  // with their sizes
};

}  // namespace imagesweep::containerd
