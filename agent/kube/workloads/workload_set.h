#pragma once

#include <memory>
#include <vector>

#include "agent/kube/workloads/workload_parser.h"
#include "agent/model/workload.h"

namespace imagesweep::kube {

// Joins the objects of all kinds into the images that each workload needs. A ReplicaSet or
// ControllerRevision counts for the workload that controls it. That workload must be in the same
// namespace and have the stated API group, kind, name, and UID, because anyone may write any owner
// into their own objects. If no such workload is among the objects, the object counts for itself,
// as all other objects do. The result is sorted and unique. Pure.
//
// revisions_back is 0 for:
//   - The images that a workload would start now, a ReplicaSet that has pods, and the revision
//     that a StatefulSet still runs.
//   - A ReplicaSet of unknown rank: it has no revision, or its Deployment is not among the objects,
//     because two lists show two moments.
//   - An object that is being deleted. No rollback goes to it, so it does not count in the ranking.
//   - Children of a third-party controller, because the objects do not show which of them it would
//     start. Only its ReplicaSets are ranked by their revisions, while one of them has pods.
std::vector<WorkloadReference> JoinWorkloads(
    const std::vector<std::shared_ptr<const WorkloadObject>>& objects);

}  // namespace imagesweep::kube
