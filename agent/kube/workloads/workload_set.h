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
// revisions_back is 0 for the images that a workload would start now, for a ReplicaSet that has
// pods, and for the revision that a StatefulSet still runs. It is also 0 if the rank is unknown:
// for a ReplicaSet whose Deployment is not among the objects (two lists show two moments), or one
// without a revision. An object that is being deleted has 0 and does not count in the ranking,
// because no rollback goes to it. The objects do not show which child a third-party controller
// would start. So its ReplicaSets are ranked by their revisions while one of them has pods, and
// have 0 otherwise. Its ControllerRevisions always have 0.
std::vector<WorkloadReference> JoinWorkloads(
    const std::vector<std::shared_ptr<const WorkloadObject>>& objects);

}  // namespace imagesweep::kube
