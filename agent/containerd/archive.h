#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "agent/base/clock.h"
#include "agent/model/image_archiver.h"

namespace grpc {
class Channel;
}

namespace imagesweep::containerd {

struct ArchiveOptions {
  std::filesystem::path directory;
  std::uint64_t max_size = 0;  // of all archives in it together
  std::string cri_namespace = "k8s.io";
  Millis timeout = std::chrono::minutes(15);  // for one image
};

// The archive of an image in `directory`; there is one for each id.
std::filesystem::path ArchiveFile(const std::filesystem::path& directory,
                                  const std::string& image_id);

// Copies images out of containerd's content store into files that any tool reads: a tar of an OCI
// image layout, with all names of the image.  The digest of each blob is checked on the way.
//
// An archive appears under its name when it is whole and on disk.  To make room the oldest archives
// go, but none that this archiver wrote: the image that it is of may be gone in a moment.  Errors,
// on each of which the directory has the archives it had, but for those that had to make room: an
// image that is larger than max_size, or than what this archiver left of it (kInvalid); one that
// containerd does not have all blobs of, as with discard_unpacked_layers (kIncomplete); another
// process that archives there (kUnavailable); no room, no permission.
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
