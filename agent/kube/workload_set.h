#pragma once

#include <memory>
#include <vector>

#include "agent/kube/workload_parser.h"
#include "agent/model/workload.h"

namespace imagesweep::kube {

// Joins the objects of all kinds to what each workload needs: ReplicaSets and ControllerRevisions
// count for the workload that controls them, older ones by their rank; everything else counts for
// itself.  Sorted, each once.  Pure.
//
// revisions_back is 0 for what a workload would start now, for a ReplicaSet that has pods, for the
// revision that a StatefulSet still runs, and for everything whose rank cannot be told: a
// ReplicaSet whose Deployment is not among the objects (two lists are of two moments), or one
// without a revision.  Of a controller that is not Kubernetes' own nothing says which child it
// would start: its ReplicaSets are ranked by their revisions while one of them has pods, and else,
// as its ControllerRevisions always, have 0.
std::vector<WorkloadReference> JoinWorkloads(
    const std::vector<std::shared_ptr<const WorkloadObject>>& objects);

}  // namespace imagesweep::kube
