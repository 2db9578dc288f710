#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kube/client/json_filter.h"
#include "agent/kube/client/strict_json.h"

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

// The owner whose controller created the object.
struct WorkloadOwner {
  std::string group;  // of its API: "apps"; empty: the core group
  std::string kind;
  std::string name;
  std::string uid;

  friend auto operator<=>(const WorkloadOwner&, const WorkloadOwner&) = default;
};

// Everything that ParseWorkload reads.
Keep WorkloadKeep(WorkloadKind kind);

// The images of one object. It is small, so that thousands of objects fit into memory.
struct WorkloadObject {
  WorkloadKind kind = WorkloadKind::kDeployment;
  std::string name_space;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::optional<WorkloadOwner> owner;  // empty: the object has no controller
  std::int64_t revision = 0;           // 0: none
  std::string current_revision;        // StatefulSet: the ControllerRevision that pods still run
  bool scaled_to_zero = false;         // spec.replicas is 0
  bool runs = false;                   // ReplicaSet: it has pods, or should have some
  bool being_deleted = false;          // metadata.deletionTimestamp is set
  std::vector<WorkloadImage> images;   // none for a finished Job

  friend bool operator==(const WorkloadObject&, const WorkloadObject&) = default;
};

// From an object of that kind. The images are those of containers, init containers (including
// sidecars), and image volumes of the pod template. A template has no ephemeral containers. If the
// images cannot be read, the result is kIncomplete with the name of the object, because it may need
// an image that is not seen. Other invalid fields are read so that more is kept: an invalid owner
// or revision as none, an invalid replica count as one.
//
// The API server stores any data in a ControllerRevision, for any stated owner (KubeVirt, for
// example, stores other data). So every image counts that appears anywhere in it in the form of a
// container or an image volume.
Result<WorkloadObject> ParseWorkload(WorkloadKind kind, const Json& object);

}  // namespace imagesweep::kube
