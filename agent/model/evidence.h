#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/model/image.h"
#include "agent/model/reference.h"
#include "agent/model/workload.h"

namespace imagesweep {

// What a runtime calls itself, and which socket answered.  A change of any field means that a
// different runtime, or a restarted one, is behind the path.
struct RuntimeIdentity {
  std::string name;      // VersionResponse.runtime_name: "containerd", "cri-o", "docker"
  std::string version;   // VersionResponse.runtime_version
  std::string endpoint;  // "unix:///run/containerd/containerd.sock"
  std::uint64_t socket_inode = 0;

  friend bool operator==(const RuntimeIdentity&, const RuntimeIdentity&) = default;
};

struct PodKey {
  std::string pod_namespace;
  std::string name;
  std::string uid;
  // The API's image of a static pod, whose sandbox has another uid (kubelet, config.mirror).
  bool mirror = false;
};

// The pod this process runs in (downward API); absent outside a cluster.
struct OwnPod {
  std::string pod_namespace;
  std::string name;
  std::string uid;  // may be empty: then namespace and name decide
};

// The runtime's half of "what is needed here", from one pass over its lists.
struct RuntimeUse {
  // Every container in every state, with every field that may name its image, and every image
  // mounted as a volume.
  std::vector<ImageReference> references;
  // Texts that name the pause image: configuration, Status, sandboxes' own info.
  std::vector<std::string> sandbox_images;
  // Sandboxes in state READY that a kubelet made (label io.kubernetes.pod.uid).
  std::vector<PodKey> ready_sandboxes;
  // Those that are not: after a reboot, or while the kubelet is down, that is all of its pods.
  std::vector<PodKey> stopped_sandboxes;
  // Pods that have at least one container listed (label io.kubernetes.pod.uid).
  std::vector<PodKey> container_pods;
  std::size_t containers = 0;
  // Ids of all containers and sandboxes, as the runtime lists them.
  std::vector<std::string> ids = {};
  // What could not be understood without making the rest untrue, for the report; for one, a text
  // that may have named the pause image.
  std::vector<std::string> warnings;
};

// The Kubernetes API's half: a consistent list of this node's pods, joined with the watch.
struct PodEvidence {
  std::vector<ImageReference> references;  // of pods that are not Succeeded or Failed; list ∪ watch
  std::vector<PodKey> pods;                // every pod of the list, finished ones too
  std::string resource_version;            // of the list
  SteadyTime listed_at;                    // when the list was complete
  std::string node_name;
  std::string node_uid;
  std::map<std::string, std::string> node_labels;
  std::size_t unfinished = 0;  // pods that are not Succeeded or Failed
  std::size_t ready = 0;       // of these, with condition Ready
  std::string cluster;         // hash of the cluster's CA; a change is another cluster
};

// All that one look read, in the order in which it must be read: images first, references last.
// The opposite order would remove an image that was pulled in between.
struct Evidence {
  RuntimeIdentity runtime;
  std::vector<Image> images;
  RuntimeUse use;
  std::optional<PodEvidence> pods;            // empty: told to do without Kubernetes
  std::optional<WorkloadEvidence> workloads = {};  // empty: the policy does not ask for them

  // Of pods and runtime, joined; pods first.
  std::vector<ImageReference> AllReferences() const;
};

// Use and size of the image filesystem by statvfs, as the kubelet counts: available is what an
// unprivileged user may use.
struct DiskUsage {
  std::string mountpoint;
  std::uint64_t capacity_bytes = 0;
  std::uint64_t available_bytes = 0;
  std::uint64_t inodes = 0;
  std::uint64_t inodes_free = 0;

  std::uint64_t inodes_used() const { return inodes > inodes_free ? inodes - inodes_free : 0; }
  // In whole percent; 0 for a file system that does not count inodes (btrfs).
  int inodes_used_percent() const {
    return inodes == 0 ? 0
                       : static_cast<int>(static_cast<double>(inodes_used()) * 100.0 /
                                          static_cast<double>(inodes));
  }
  // 100 - available * 100 / capacity, in whole percent like the kubelet.  Requires capacity > 0;
  // never below 0, whatever the figures.
  int used_percent() const {
    const double free =
        static_cast<double>(available_bytes) * 100.0 / static_cast<double>(capacity_bytes);
    return free >= 100.0 ? 0 : 100 - static_cast<int>(free);
  }
};

// What the ledger knows of one image.  Times are observed, never taken from the image's metadata.
struct ImageAge {
  SystemTime first_seen;                // on this node, by us
  std::optional<SystemTime> last_used;  // empty: never seen in use
  // Toward maximumAge: how long it has been unreferenced, counting only time that was observed on the
  // monotonic clock.  A short gap pauses it.
  Millis unused_for{0};
  // Toward minimumAge: how long it has been watched without any gap and without a use.  Never more
  // than `unused_for`.
  Millis watched_unused_for{0};
  bool just_seen = false;  // no record before this look: its age starts now
  // A look before this one found a tag on it that it has no more.  Without that an image that has
  // digests alone may as well have been pulled by digest.
  bool lost_tag = false;
};

// A run that did not act, and which source could not be trusted.
struct Refusal {
  std::string source;  // pods | containers | images | sandboxes | node | policy | identity |
                       // runtime | workloads
  Error error;
};

}  // namespace imagesweep
