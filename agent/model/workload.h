#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/clock.h"

namespace imagesweep {

// One need of a workload's pod template, whether or not a pod of it runs now, here or anywhere: a
// rollback, a scale-up, the next run of a CronJob will ask for it.
struct WorkloadReference {
  std::string text;  // as the template writes it
  std::string kind;  // of the owner: "Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", …
  std::string workload_namespace;
  std::string name;           // of the owner: the Deployment, not its ReplicaSet
  std::string container;      // name within the pod; the volume's name for an image volume
  std::int64_t revision = 0;  // of the rollout (deployment.kubernetes.io/revision); 0: has none
  int revisions_back = 0;     // 0: what it would start now; 1: the revision before that, …
  bool scaled_to_zero = false;

  friend auto operator<=>(const WorkloadReference&, const WorkloadReference&) = default;
};

// "Deployment shop/api, revision 7".
std::string Describe(const WorkloadReference& reference);

// Every workload of the cluster, complete.
struct WorkloadEvidence {
  std::vector<WorkloadReference> references;  // sorted, each once
  SteadyTime as_of;                           // when it was last known to be complete and current
  std::string origin;                         // "the Kubernetes API", "the index, generation 17"
};

}  // namespace imagesweep
