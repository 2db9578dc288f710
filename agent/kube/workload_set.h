#pragma once

#include <memory>
#include <vector>

#include "agent/kube/workload_parser.h"
#include "agent/model/workload.h"

namespace imagesweep::kube {

// Joins the objects of all kinds to what each workload needs.  A ReplicaSet or ControllerRevision
// counts for the workload that controls it: the one of its namespace with the API group, kind, name
// and uid that it says, since anybody may write any owner into an object of his own.  One whose
// owner is not among the objects, or is not such a one, counts for itself, as everything else does.
// Sorted, each once.  Pure.
//
// revisions_back is 0 for what a workload would start now, for a ReplicaSet that has pods, for the
// revision that a StatefulSet still runs, and for everything whose rank cannot be told: a
// ReplicaSet whose Deployment is not among the objects (two lists are of two moments), or one
// without a revision.  What is being deleted has 0 too, and takes no place among the others: nobody
// rolls back to it.  Of a controller that is not Kubernetes' own nothing says which child it would
// start: its ReplicaSets are ranked by their revisions while one of them has pods, and else, as its
// ControllerRevisions always, have 0.
std::vector<WorkloadReference> JoinWorkloads(
    const std::vector<std::shared_ptr<const WorkloadObject>>& objects);

}  // namespace imagesweep::kube
