#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kube/json_filter.h"
#include "agent/kube/strict_json.h"

namespace imagesweep::kube {

// The built-in kinds that hold pod templates.
enum class WorkloadKind {
  kDeployment,
  kStatefulSet,
  kDaemonSet,
  kReplicaSet,
  kControllerRevision,
  kCronJob,
  kJob,
};

struct WorkloadResource {
  WorkloadKind kind;
  const char* name;      // "Deployment"
  const char* resource;  // "deployments"
  const char* path;      // of all of them in the cluster
};

// In the order of WorkloadKind.
inline constexpr std::array<WorkloadResource, 7> kWorkloadResources{{
    {WorkloadKind::kDeployment, "Deployment", "deployments", "/apis/apps/v1/deployments"},
    {WorkloadKind::kStatefulSet, "StatefulSet", "statefulsets", "/apis/apps/v1/statefulsets"},
    {WorkloadKind::kDaemonSet, "DaemonSet", "daemonsets", "/apis/apps/v1/daemonsets"},
    {WorkloadKind::kReplicaSet, "ReplicaSet", "replicasets", "/apis/apps/v1/replicasets"},
    {WorkloadKind::kControllerRevision, "ControllerRevision", "controllerrevisions",
     "/apis/apps/v1/controllerrevisions"},
    {WorkloadKind::kCronJob, "CronJob", "cronjobs", "/apis/batch/v1/cronjobs"},
    {WorkloadKind::kJob, "Job", "jobs", "/apis/batch/v1/jobs"},
}};

inline constexpr const WorkloadResource& ResourceOf(WorkloadKind kind) {
  return kWorkloadResources[static_cast<std::size_t>(kind)];
}

struct WorkloadImage {
  std::string text;
  std::string container;  // name within the pod; the volume's name for an image volume

  friend bool operator==(const WorkloadImage&, const WorkloadImage&) = default;
};

// The owner whose controller made the object.
struct WorkloadOwner {
  std::string group;  // of its API: "apps"; empty: the core group
  std::string kind;
  std::string name;
  std::string uid;

  friend auto operator<=>(const WorkloadOwner&, const WorkloadOwner&) = default;
};

// All that ParseWorkload looks at.
Keep WorkloadKeep(WorkloadKind kind);

// What one object says about images: little, so that thousands can be kept.
struct WorkloadObject {
  WorkloadKind kind = WorkloadKind::kDeployment;
  std::string name_space;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::optional<WorkloadOwner> owner;  // empty: nobody's, or nobody controls it any more
  std::int64_t revision = 0;           // 0: it says none
  std::string current_revision;        // StatefulSet: the ControllerRevision that pods still run
  bool scaled_to_zero = false;         // spec.replicas is 0
  bool runs = false;                   // ReplicaSet: it has pods, or is to have some
  bool being_deleted = false;          // metadata.deletionTimestamp is set
  std::vector<WorkloadImage> images;   // none of a Job that has finished

  friend bool operator==(const WorkloadObject&, const WorkloadObject&) = default;
};

// From an object of that kind.  Counted are containers, init containers (sidecars too) and image
// volumes of the pod template; a template has no ephemeral containers.  kIncomplete, with the
// object's name, for one whose images cannot be read: it may need one that we would not see.  What
// is odd elsewhere is taken for the case that keeps more: an owner that cannot be read is none, a
// revision none, a replica count one.
//
// The API server stores anything in a ControllerRevision, whoever its owner is said to be
// (KubeVirt, for one, keeps other things in them).  So of any of them counts every image of
// anything in it that is written as a container or an image volume is.
Result<WorkloadObject> ParseWorkload(WorkloadKind kind, const Json& object);

}  // namespace imagesweep::kube
