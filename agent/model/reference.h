#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace imagesweep {

enum class ImageUserKind {
  kPod,          // a container of a pod bound to this node, by the Kubernetes API
  kContainer,    // a container of the runtime, in any state
  kImageVolume,  // an image mounted as a volume (KEP-4639)
  kSandbox,      // the pause container of a pod
  kMount,        // a mount of the image without a container
};

// "Pod", "Container", "ImageVolume", "Sandbox", "Mount".
std::string_view ToString(ImageUserKind kind);

// A user of an image, as `usedBy` prints it.  Empty fields are unknown.
struct ImageUser {
  ImageUserKind kind = ImageUserKind::kPod;
  std::string pod_namespace;
  std::string pod;
  std::string container;  // name within the pod; the volume's name for an image volume

  friend bool operator==(const ImageUser&, const ImageUser&) = default;
};

// "shop/api-7d9/web" without the unknown parts, for messages.
std::string Describe(const ImageUser& user);

// True if both belong to one pod.  Users without a pod only if they are equal.
bool OfOnePod(const ImageUser& a, const ImageUser& b);

// One use of one image: a text that a runtime can resolve (a name, a digest, an ID, with or without
// a scheme such as docker://), and its user.
struct ImageReference {
  std::string text;
  // The result of the resolution in the status of the same container (imageID), if known.  Only
  // used to narrow an unqualified `text`.  It is also a separate reference.
  std::string resolved;
  ImageUser by;
  // False: the text is from a status, which may show any name of the image.
  bool chosen = true;
};

}  // namespace imagesweep
