#pragma once

#include <memory>
#include <string>

#include "agent/daemon/node_runtime.h"
#include "agent/daemon/registry_access.h"
#include "agent/gc/observe/image_filesystem.h"
#include "agent/gc/observe/node_dependencies.h"
#include "agent/gc/observe/origins.h"
#include "agent/kube/cluster.h"
#include "agent/kube/pods/pull_records.h"

namespace imagesweep {

// The adapters of one node: its container runtime, and what all runtimes have in common.  The
// daemon and the commands get the dependencies of a run from here, so that both remove images with
// the same guards.
struct NodeAdapters {
  struct Options {
    std::string kubelet_directory;  // /var/lib/kubelet, as this process sees it
    std::string pull_secret;        // for keep.verifyRegistry; empty: anonymous
    bool read_kubelet = false;      // read the thresholds of the kubelet through the API server
  };
  // `clock` must outlive it.
  NodeAdapters(std::unique_ptr<NodeRuntime> runtime, const Clock& clock, Options options);
  NodeAdapters(const NodeAdapters&) = delete;  // the adapters refer to each other
  NodeAdapters& operator=(const NodeAdapters&) = delete;

  // `cluster` and `pods` are null with --without-kubernetes, `workloads` if nothing reads them. All
  // arguments must outlive the run.
  NodeDependencies Dependencies(kube::Cluster* cluster, PodReader* pods, WorkloadReader* workloads,
                                AgeStore& age_store, History* history);

  const std::unique_ptr<NodeRuntime> runtime;
  const Clock& clock;
  const Options options;
  StatvfsFilesystem filesystem;
  kube::PullRecords kubelet;
  OriginJudge origins;
  RegistryAccess registries;
};

}  // namespace imagesweep
