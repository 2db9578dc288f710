#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/strong_string.h"
#include "agent/model/image_name.h"
#include "agent/model/origin.h"

namespace imagesweep {

// Image.id exactly as ListImages of the runtime returned it: "sha256:…" on containerd and
// cri-dockerd, 64 bare hexadecimal digits on CRI-O.  The CRI removes images only by this ID.
// containerd's own services delete the records of the image by name.
using ImageId = StrongString<struct ImageIdTag>;

// One image of the node, as the runtime lists it.
struct Image {
  ImageId id;
  std::vector<ImageName> tags;     // repo_tags, normalised; empty if the last tag moved
  std::vector<ImageName> digests;  // repo_digests; rarely evidence, see Origin
  // As the runtime reports it.  Compressed on containerd, uncompressed on CRI-O: never the bytes
  // that a removal frees.
  std::uint64_t size_bytes = 0;
  bool pinned = false;
  std::string runtime_handler;  // ImageSpec.runtime_handler (KEP-4216); passed back on removal
  // The runtime recorded that it once had a tag.  Only Docker's own image store records this.
  bool had_tag = false;
  // Where it came from.  The runtime's list does not include it; OriginReader sets it.
  Origin origin = {};

  // True if no evidence shows that it can be pulled again.  An unknown origin counts as local.
  bool local_only() const noexcept { return !origin.can_be_pulled(); }
  // The first tag, else the first digest, else the ID.  Output for people uses ShownName.
  const std::string& display_name() const noexcept {
    if (!tags.empty()) return tags.front().text();
    return digests.empty() ? id.text() : digests.front().text();
  }
};

// A display name for people.  An image without a name has its ID as its display name, which becomes
// "<none> (3f8a7c2b1e9d)": `<none>` and 12 digits, as docker and crictl show them.  Tables with a
// column for the ID show only `<none>`.
std::string ShownName(std::string_view display_name);
std::string ShownName(const Image& image);

// True for the names of pause images, for runtimes that do not report it: registry.k8s.io/pause,
// rancher/mirrored-pause, k8s.gcr.io/pause-amd64.
bool LooksLikePause(const Image& image);

}  // namespace imagesweep
