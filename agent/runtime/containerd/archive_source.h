#pragma once

#include <containerd/content.grpc.pb.h>
#include <containerd/images.grpc.pb.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/image.h"
#include "agent/runtime/containerd/archive_layout.h"
#include "agent/runtime/containerd/call.h"

namespace imagesweep::containerd {

// The limit for an index or a manifest.
constexpr std::uint64_t kMaxDocumentBytes = std::uint64_t{8} << 20;

// The content of an archive: the names of the image and all of its blobs that exist.
struct ArchivePlan {
  std::vector<NamedImage> names;
  std::vector<Descriptor> blobs;
};

// Reads the content of an archive from containerd. One thread.
class ArchiveSource {
 public:
  ArchiveSource(const Calls& calls, std::string name_space,
                ::containerd::services::images::v1::Images::Stub& images,
                ::containerd::services::content::v1::Content::Stub& content)
      : calls_(calls), name_space_(std::move(name_space)), images_(images), content_(content) {}

  // kIncomplete if a part of the image is missing. Parts for other platforms may be missing.
  Result<ArchivePlan> Plan(const Image& image);
  // Reads the whole blob in pieces. kIncomplete if the content does not match its digest.
  Status Read(const Descriptor& blob, const std::function<Status(std::string_view)>& take);

 private:
  struct Walk;
  Result<std::vector<NamedImage>> FindNames(const Image& image);
  Status Visit(const Descriptor& blob, Walk& walk);
  Result<bool> IsThere(Descriptor& blob);
  Result<std::string> ReadDocument(const Descriptor& blob);

  const Calls& calls_;
  const std::string name_space_;
  ::containerd::services::images::v1::Images::Stub& images_;
  ::containerd::services::content::v1::Content::Stub& content_;
};

}  // namespace imagesweep::containerd
