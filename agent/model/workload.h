#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/clock.h"

namespace imagesweep {

// An image in the pod template of a workload.  No pod with it needs to run: a rollback, a scale-up,
// or the next run of a CronJob may start one.
struct WorkloadReference {
  std::string text;  // as written in the template
  std::string kind;  // of the owner: "Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", …
  std::string workload_namespace;
  std::string name;           // of the owner: the Deployment, not its ReplicaSet
  std::string container;      // name within the pod; the volume's name for an image volume
  std::int64_t revision = 0;  // of the rollout (deployment.kubernetes.io/revision); 0: none
  int revisions_back = 0;     // 0: the current revision; 1: the revision before it, …
  bool scaled_to_zero = false;

  friend auto operator<=>(const WorkloadReference&, const WorkloadReference&) = default;
};

// "Deployment shop/api, revision 7".
std::string Describe(const WorkloadReference& reference);

// The references of all workloads of the cluster.
struct WorkloadEvidence {
  std::vector<WorkloadReference> references;  // sorted, without duplicates
  SteadyTime as_of;                           // the last time it was complete and current
  std::string origin;                         // "the Kubernetes API", "the index, generation 17"
};

}  // namespace imagesweep
