#pragma once

#include <containerd/content.grpc.pb.h>
#include <containerd/images.grpc.pb.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/containerd/archive_layout.h"
#include "agent/containerd/call.h"
#include "agent/model/image.h"

namespace imagesweep::containerd {

// An index or a manifest is a small document.
constexpr std::uint64_t kMaxDocumentBytes = std::uint64_t{8} << 20;

// All that an image is made of: its names, and every blob of it that is there.
struct ArchivePlan {
  std::vector<NamedImage> names;
  std::vector<Descriptor> blobs;
};

// What is to be archived, out of containerd.
class ArchiveSource {
 public:
  ArchiveSource(const Calls& calls, std::string name_space,
                ::containerd::services::images::v1::Images::Stub& images,
                ::containerd::services::content::v1::Content::Stub& content)
      : calls_(calls), name_space_(std::move(name_space)), images_(images), content_(content) {}

  // kIncomplete when a part of it is not there; parts for other platforms may be missing.
  Result<ArchivePlan> Plan(const Image& image);
  // The whole blob, piece by piece; kIncomplete when it is not what its digest says.
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
