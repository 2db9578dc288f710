#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/containerd/pull_labels.h"
#include "agent/cri/repo_digests.h"
#include "agent/kube/pull_records.h"
#include "agent/model/ports.h"

namespace imagesweep {

// Determines the origin of images by the proofs of all its sources, the strongest first.
class Origins final : public OriginReader {
 public:
  // They must outlive it.
  explicit Origins(std::vector<OriginSource*> sources) : sources_(std::move(sources)) {}
  std::vector<std::string> Fill(std::span<Image> images, const RuntimeIdentity& runtime,
                                const std::stop_token& stop) override;

 private:
  const std::vector<OriginSource*> sources_;
};

// All sources that a node may have.
struct NodeOrigins {
  // `kubelet_directory`: /var/lib/kubelet, as this process sees it.
  NodeOrigins(containerd::RecentGraph& layers, const std::string& kubelet_directory)
      : labels(layers), kubelet(kubelet_directory), all({&labels, &digests, &kubelet}) {}
  NodeOrigins(const NodeOrigins&) = delete;  // its parts point to each other
  NodeOrigins& operator=(const NodeOrigins&) = delete;

  containerd::PullLabels labels;
  cri::RepoDigests digests;
  kube::PullRecords kubelet;
  Origins all;
};

}  // namespace imagesweep
