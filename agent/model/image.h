#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/strong_string.h"
#include "agent/model/image_name.h"
#include "agent/model/origin.h"

namespace imagesweep {

// Image.id exactly as the runtime's ListImages gave it: "sha256:…" on containerd and cri-dockerd,
// 64 bare hexadecimal digits on CRI-O.  The only thing we ever remove by.
using ImageId = StrongString<struct ImageIdTag>;

// One image of the node, as the runtime lists it.
struct Image {
  ImageId id;
  std::vector<ImageName> tags;     // repo_tags, normalised; empty when the tag moved on
  std::vector<ImageName> digests;  // repo_digests, which prove nothing: see Origin
  // What the runtime says.  Compressed on containerd, uncompressed on CRI-O: never "bytes freed".
  std::uint64_t size_bytes = 0;
  bool pinned = false;
  std::string runtime_handler;  // ImageSpec.runtime_handler (KEP-4216); passed back on removal
  // What is known of where it came from.  The runtime's list does not say; whoever reads the evidence
  // fills it in.
  Origin origin = {};

  // No evidence says that it can be pulled again; an unknown origin counts as local.
  bool local_only() const noexcept { return !origin.can_be_pulled(); }
  // The first tag, else the first digest, else the id.  For people: ShownName.
  const std::string& display_name() const noexcept {
    if (!tags.empty()) return tags.front().text();
    return digests.empty() ? id.text() : digests.front().text();
  }
};

// A display name as people read it.  That of an image without a name is its ID, and becomes
// "<none> (3f8a7c2b1e9d)": `<none>` and 12 digits, as docker and crictl show them.  Tables that
// have a column for the ID show `<none>` alone.
std::string ShownName(std::string_view display_name);
std::string ShownName(const Image& image);

// A pause image by its name alone, for runtimes that do not say: registry.k8s.io/pause,
// rancher/mirrored-pause, k8s.gcr.io/pause-amd64.
bool LooksLikePause(const Image& image);

}  // namespace imagesweep
