#pragma once

#include <string>

#include "agent/gc/observe/origins.h"
#include "agent/kube/pods/pull_records.h"
#include "agent/runtime/containerd/cached_graph_reader.h"
#include "agent/runtime/containerd/pull_labels.h"
#include "agent/runtime/cri/repo_digests.h"

namespace imagesweep {

// All sources that a node may have.
struct NodeOrigins {
  // `kubelet_directory`: /var/lib/kubelet, as this process sees it.
  NodeOrigins(containerd::CachedGraphReader& layers, const std::string& kubelet_directory)
      : labels(layers), kubelet(kubelet_directory), all({&labels, &digests, &kubelet}) {}
  NodeOrigins(const NodeOrigins&) = delete;  // its parts point to each other
  NodeOrigins& operator=(const NodeOrigins&) = delete;

  containerd::PullLabels labels;
  cri::RepoDigests digests;
  kube::PullRecords kubelet;
  OriginJudge all;
};

}  // namespace imagesweep
