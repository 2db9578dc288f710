#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

// Parts of these objects that say nothing about images and are most of their size; dropped while an
// answer is parsed (ParseStrict).
const KeySet& WorkloadBallast();

struct WorkloadImage {
  std::string text;
  std::string container;  // name within the pod; the volume's name for an image volume

  friend bool operator==(const WorkloadImage&, const WorkloadImage&) = default;
};

// The owner whose controller made the object.
struct WorkloadOwner {
  std::string kind;
  std::string name;
  std::string uid;

  friend bool operator==(const WorkloadOwner&, const WorkloadOwner&) = default;
};

// What one object says about images: little, so that thousands can be kept.
struct WorkloadObject {
  WorkloadKind kind = WorkloadKind::kDeployment;
  std::string name_space;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string created;                 // RFC 3339 in UTC, so the later is the greater text
  std::optional<WorkloadOwner> owner;  // empty: nobody's, or nobody controls it any more
  std::int64_t revision = 0;           // 0: it says none
  std::string current_revision;        // StatefulSet: the ControllerRevision that pods still run
  bool scaled_to_zero = false;         // spec.replicas is 0
  bool runs = false;                   // ReplicaSet: it has pods, or is to have some
  std::vector<WorkloadImage> images;   // none of a Job that has finished

  friend bool operator==(const WorkloadObject&, const WorkloadObject&) = default;
};

// From an object of that kind.  Counted are containers, init containers (sidecars too) and image
// volumes of the pod template; a template has no ephemeral containers.  kIncomplete, with the
// object's name, for one that cannot be understood whole: it may need an image that we would not
// see.  A ControllerRevision of a controller that is not Kubernetes' own (KubeVirt, for one, keeps
// other things in them) has no format that we know; of it counts every image of anything in it that
// looks like a list of containers.
Result<WorkloadObject> ParseWorkload(WorkloadKind kind, const Json& object);

}  // namespace imagesweep::kube
