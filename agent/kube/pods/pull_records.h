#pragma once

#include <filesystem>
#include <string>

#include "agent/model/ports.h"

namespace imagesweep::kube {

// The records that the kubelet writes about its pulls: IMAGE_MANAGER/pulled/sha256-…, one
// ImagePulledRecord for each image reference of the runtime (Kubernetes 1.35 and later; KEP-2535).
//
// A record proves a pull of the repositories in its credentialMapping that have credentials. The
// kubelet also writes records with an empty mapping, when it starts and finds an image that it
// intended to pull. These records prove nothing, because anything may have brought that image to
// the node. Source: Kubernetes, pkg/kubelet/images/pullmanager/image_pull_manager.go.
//
// Thread-safe. Reads only. A missing directory proves nothing.
class PullRecords final : public OriginSource {
 public:
  // `kubelet_directory`: /var/lib/kubelet; empty: no records are read.
  explicit PullRecords(const std::filesystem::path& kubelet_directory);
  Result<OriginFindings> Find(std::span<const Image> images, const RuntimeIdentity& runtime,
                              const std::stop_token& stop) override;

 private:
  const std::filesystem::path directory_;  // empty: none
};

}  // namespace imagesweep::kube
