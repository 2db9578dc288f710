#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/model/image.h"
#include "agent/model/image_pos.h"
#include "agent/model/reference.h"
#include "agent/model/workload.h"

namespace imagesweep {

// The name and version that a runtime reports, and the socket that answered.  A change of any field
// means that a different or restarted runtime serves the path.
struct RuntimeIdentity {
  std::string name;      // VersionResponse.runtime_name: "containerd", "cri-o", "docker"
  std::string version;   // VersionResponse.runtime_version
  std::string endpoint;  // "unix:///run/containerd/containerd.sock"
  std::uint64_t socket_inode = 0;
  // False: cri-dockerd.  Its CRI does not list the containers that Docker runs outside pods.
  bool lists_all_containers = true;

  // True if a configuration of the runtime may lead a name without a registry to any repository:
  // [aliases] in registries.conf (github.com/containers/image,
  // docs/containers-registries.conf.5.md).
  bool has_short_name_aliases() const { return name == "cri-o"; }

  friend bool operator==(const RuntimeIdentity&, const RuntimeIdentity&) = default;
};

struct PodKey {
  std::string pod_namespace;
  std::string name;
  std::string uid;
  // The mirror pod of a static pod, whose sandbox has another UID (kubelet, config.mirror).
  bool mirror = false;
};

// The pod of this process (downward API).  Absent outside a cluster.
struct OwnPod {
  std::string pod_namespace;
  std::string name;
  std::string uid;  // if empty, namespace and name identify the pod
};

// The images that the runtime needs, from one pass over its lists.
struct RuntimeUse {
  // Every container in every state, with each field that may name its image, and every image that
  // is mounted as a volume.
  std::vector<ImageReference> references;
  // Texts that name the pause image: from configuration, Status, and the sandboxes' info.
  std::vector<std::string> sandbox_images;
  // Sandboxes in state READY that a kubelet created (label io.kubernetes.pod.uid).
  std::vector<PodKey> ready_sandboxes;
  // The other sandboxes of a kubelet: after a reboot, or while the kubelet is down, all of them.
  std::vector<PodKey> stopped_sandboxes;
  // Pods with at least one listed container (label io.kubernetes.pod.uid).
  std::vector<PodKey> container_pods;
  std::size_t containers = 0;
  // IDs of all containers and sandboxes, as the runtime lists them.
  std::vector<std::string> ids = {};
  // Fields that could not be parsed but do not invalidate the rest, for the report.  For example, a
  // text that may have named the pause image.
  std::vector<std::string> warnings;
};

// The images that the Kubernetes API needs: a consistent list of this node's pods, joined with the
// watch.
struct PodEvidence {
  std::vector<ImageReference> references;  // of pods that are not Succeeded or Failed; list ∪ watch
  std::vector<PodKey> pods;                // every pod of the list, including finished ones
  std::string resource_version;            // of the list
  SteadyTime listed_at;                    // when the list was complete
  std::string node_name;
  std::string node_uid;
  std::map<std::string, std::string> node_labels;
  std::size_t unfinished = 0;  // pods that are not Succeeded or Failed
  std::size_t ready = 0;       // of these, with condition Ready
  std::string cluster;         // hash of the cluster's CA; a change means another cluster
};

// The result of one observation, in the order in which it must be read: images first, references
// last.  The opposite order could remove an image that was pulled in between.
struct Evidence {
  RuntimeIdentity runtime;
  ByImage<Image> images;
  RuntimeUse use;
  std::optional<PodEvidence> pods;                 // empty: --without-kubernetes
  std::optional<WorkloadEvidence> workloads = {};  // empty: the policy does not need them

  // The references of pods and runtime, pods first.
  std::vector<ImageReference> AllReferences() const;
};

// Use and size of the image filesystem by statvfs.  As for the kubelet, `available` is the space
// for unprivileged users.
struct DiskUsage {
  std::string mountpoint;
  std::uint64_t capacity_bytes = 0;
  std::uint64_t available_bytes = 0;
  std::uint64_t inodes = 0;
  std::uint64_t inodes_free = 0;

  std::uint64_t inodes_used() const { return inodes > inodes_free ? inodes - inodes_free : 0; }
  // In whole percent.  0 for a file system that does not count inodes (btrfs).
  int inodes_used_percent() const {
    return inodes == 0 ? 0
                       : static_cast<int>(static_cast<double>(inodes_used()) * 100.0 /
                                          static_cast<double>(inodes));
  }
  // 100 - available * 100 / capacity, in whole percent like the kubelet, and never below 0.
  // Requires capacity > 0.
  int used_percent() const {
    const double free =
        static_cast<double>(available_bytes) * 100.0 / static_cast<double>(capacity_bytes);
    return free >= 100.0 ? 0 : 100 - static_cast<int>(free);
  }
};

// The observed age of an image.  Times are observed, never taken from the image's metadata.
struct ImageAge {
  SystemTime first_seen;                // on this node, by imagesweep
  std::optional<SystemTime> last_used;  // empty: never seen in use
  // Counts toward maximumAge: the time without a reference, as observed on the monotonic clock.  A
  // short gap pauses it.
  Millis unused_for{0};
  // Counts toward minimumAge: the time that it was watched without a gap and without a use.  Never
  // more than `unused_for`.
  Millis watched_unused_for{0};
  bool just_seen = false;  // no earlier record: its age starts now
  // It had a tag, by an earlier observation or by a record of the runtime, and has none now.
  // Without this evidence, an image with only digests may have been pulled by digest, and one
  // without a name may never have had one.
  bool lost_tag = false;
  // If it lost its tag: the tags that it had in the last observation with one.  Empty: unknown,
  // because a record of the runtime does not name them.
  std::vector<ImageName> lost_tags;
};

// Why a run aborted and removes nothing more: the source that could not be read.
struct Refusal {
  std::string source;  // pods | containers | images | sandboxes | node | policy | identity |
                       // references | runtime | workloads
  Error error;
};

// The disk use at which the kubelet garbage-collects images. Source: k8s.io/kubelet/config/v1beta1,
// imageGCHighThresholdPercent and imageGCLowThresholdPercent.
struct KubeletThresholds {
  int high_percent = 85;  // 100: never
  int low_percent = 80;
  bool read = false;  // read from this kubelet; false: its defaults
};

}  // namespace imagesweep
