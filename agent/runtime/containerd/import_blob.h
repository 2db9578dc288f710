#pragma once

#include <containerd/content.grpc.pb.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "agent/runtime/containerd/archive_layout.h"
#include "agent/runtime/containerd/call.h"

namespace imagesweep::containerd {

// Writes blobs into the content store under a lease. Source: containerd
// plugins/services/content/contentserver, Write. Thread-safe.
class BlobWriter {
 public:
  using Take = std::function<Status(std::string_view)>;

  BlobWriter(const Calls& calls, ::containerd::services::content::v1::Content::Stub& stub,
             std::string name_space, std::string lease)
      : calls_(calls), stub_(stub), name_space_(std::move(name_space)), lease_(std::move(lease)) {}

  // `source` passes the blob to its argument in pieces. A blob that exists is not written again,
  // but gets the labels too.
  Status Write(const Descriptor& blob, const std::map<std::string, std::string>& labels,
               const std::function<Status(const Take&)>& source) const;

 private:
  Status Send(const Descriptor& blob, const std::map<std::string, std::string>& labels,
              const std::function<Status(const Take&)>& source) const;
  Status Label(const Descriptor& blob, const std::map<std::string, std::string>& labels) const;

  const Calls& calls_;
  ::containerd::services::content::v1::Content::Stub& stub_;
  const std::string name_space_, lease_;
};

}  // namespace imagesweep::containerd
