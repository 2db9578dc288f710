#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"

// Answers of the Docker Engine API as plain values. Each parser returns kIncomplete for an answer
// that is not JSON or lacks a field that decides about an image, and names that field. Unknown
// fields are ignored. Source: https://docs.docker.com/reference/api/engine/version/v1.41/ to v1.53,
// and the recorded answers in tests/support/docker.

namespace imagesweep::docker {

// GET /version and GET /info.
struct EngineInfo {
  std::string version;               // "20.10.24"
  std::string id;                    // of the daemon; another ID means another daemon
  std::string driver;                // "overlay2", "overlayfs"
  std::string root;                  // "/var/lib/docker"
  bool containerd_store = false;     // DriverStatus names the snapshotter of containerd
  std::string containerd_address;    // "/run/containerd/containerd.sock"; empty: not reported
  std::string containerd_namespace;  // "moby"
  bool swarm = false;                // the node is a member of a swarm
};

// An entry of GET /images/json.
struct ListedImage {
  std::string id;  // "sha256:…"
  // RepoTags without "<none>:<none>". On the containerd store, an image that was pulled by its
  // digest has its only name, with the digest, here.
  std::vector<std::string> tags;
  // RepoDigests without "<none>@<none>". On the containerd store, one of possibly several:
  // InspectedImage has all.
  std::vector<std::string> digests;
  std::uint64_t size = 0;  // unpacked layers; on the containerd store with the blobs
  std::optional<std::uint64_t> shared_size;  // -1 of the daemon: empty
  std::map<std::string, std::string> labels = {};
};

// A container of GET /containers/json?all=1.
struct ListedContainer {
  std::string id;
  std::string name;      // without its slash
  std::string image;     // as its creator wrote it, or the ID once the name moved on
  std::string image_id;  // "sha256:…"
  std::string state;     // "created", "running", "exited", …
  std::map<std::string, std::string> labels = {};  // only those of Kubernetes and Compose
  // Of mounts of type image: the name or ID as their creator wrote it. The list does not tell the
  // ID of a name that moved on.
  std::vector<std::string> mounted_images = {};
};

// GET /images/{id}/json.
struct InspectedImage {
  std::string id;
  std::vector<std::string> tags, digests;
  std::vector<std::string> diff_ids;  // lowest layer first
  std::map<std::string, std::string> labels = {};
  // Metadata.LastTagTime. Empty: Docker's own store gave it no tag. The containerd store reports a
  // time for every image.
  std::string last_tag_time = {};
  // Identity of the API 1.53 and later: the repositories that it was pulled from or pushed to, and
  // whether BuildKit built it here. Empty: the daemon does not say. A repository is without the
  // port of its registry: "127.0.0.1/team/app".
  std::vector<std::string> pulled_from = {};
  bool built_here = false;
};

Result<EngineInfo> ParseInfo(std::string_view version_json, std::string_view info_json);
Result<std::vector<ListedImage>> ParseImages(std::string_view json);
Result<std::vector<ListedContainer>> ParseContainers(std::string_view json);
Result<InspectedImage> ParseImage(std::string_view json);

// GET /images/{id}/history: the text of each step of the build, the first one first.
Result<std::vector<std::string>> ParseHistory(std::string_view json);

// An event of GET /events that concerns images or containers.
struct EngineEvent {
  enum class Kind {
    kContainerCreated,
    kContainerStarted,
    kImagePulled,
    kImageLoaded,  // or imported, or built
    kImageTagged,
    kOther
  };
  Kind kind = Kind::kOther;
  std::string id;     // of the container, or what names the image
  std::string image;  // of a container: the text of its creator; of an image: its name or ID
  std::int64_t time_nano = 0;
};
Result<EngineEvent> ParseEvent(std::string_view line);

// The text of the last `"error"` or `"errorDetail"` of a stream of progress messages (POST
// /images/create and /images/load), which come with status 200. Empty: no error.
std::string ErrorOfProgress(std::string_view stream);

}  // namespace imagesweep::docker
