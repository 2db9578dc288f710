#pragma once

#include <memory>
#include <string>

#include "agent/daemon/native_containerd.h"
#include "agent/daemon/registry_access.h"
#include "agent/gc/observe/image_filesystem.h"
#include "agent/gc/observe/node_dependencies.h"
#include "agent/gc/observe/origins.h"
#include "agent/kube/cluster.h"
#include "agent/kube/pods/pull_records.h"
#include "agent/runtime/containerd/cached_graph_reader.h"
#include "agent/runtime/containerd/pull_labels.h"
#include "agent/runtime/cri/connection.h"
#include "agent/runtime/cri/delete.h"
#include "agent/runtime/cri/repo_digests.h"
#include "agent/runtime/cri/runtime.h"

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

// The adapters of one node, on one connection to its container runtime.  The daemon and the
// commands get the dependencies of a run from here, so that both remove images with the same
// guards.
struct NodeAdapters {
  struct Options {
    std::string kubelet_directory;  // /var/lib/kubelet, as this process sees it
    std::string pull_secret;        // for keep.verifyRegistry; empty: anonymous
    bool read_kubelet = false;      // read the thresholds of the kubelet through the API server
  };
  // `clock` must outlive it.
  NodeAdapters(std::shared_ptr<cri::Connection> connection, const Clock& clock, Options options);
  NodeAdapters(const NodeAdapters&) = delete;  // the adapters refer to each other
  NodeAdapters& operator=(const NodeAdapters&) = delete;

  // `cluster` and `pods` are null with --without-kubernetes, `workloads` if nothing reads them. All
  // arguments must outlive the run.
  NodeDependencies Dependencies(kube::Cluster* cluster, PodReader* pods, WorkloadReader* workloads,
                                AgeStore& age_store, History* history);

  const std::shared_ptr<cri::Connection> connection;
  const Clock& clock;
  const Options options;
  StatvfsFilesystem filesystem;
  cri::Runtime runtime;
  cri::CriImageRemover remover;
  NativeContainerd native;
  NodeOrigins origins;
  RegistryAccess registries;
};

}  // namespace imagesweep
