#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace imagesweep {

enum class ReferrerKind {
  kPod,          // a container of a pod bound to this node, by the Kubernetes API
  kContainer,    // a container the runtime knows, in any state
  kImageVolume,  // an image mounted as a volume (KEP-4639)
  kSandbox,      // the pause container of a pod
};

// "Pod", "Container", "ImageVolume", "Sandbox".
std::string_view ToString(ReferrerKind kind);

// Who needs an image: what `usedBy` prints.  Empty fields are not known.
struct Referrer {
  ReferrerKind kind = ReferrerKind::kPod;
  std::string pod_namespace;
  std::string pod;
  std::string container;  // name within the pod; the volume's name for an image volume

  friend bool operator==(const Referrer&, const Referrer&) = default;
};

// "shop/api-7d9/web" with what is known; for messages.
std::string Describe(const Referrer& referrer);

// Do both belong to one pod?  Those of no pod only when they are the same.
bool OfOnePod(const Referrer& a, const Referrer& b);

// One need for one image: some text that a runtime would resolve (a name, a digest, an id, with or
// without docker:// and the like), and who wrote it.
struct ImageReference {
  std::string text;
  // What the same container's status says it resolved to (imageID), when there is one.  Only used
  // to narrow an unqualified `text`; it is a reference of its own besides.
  std::string resolved;
  Referrer by;
  // False: a status shows it, which may be any name of the image that is meant; nobody chose it.
  bool chosen = true;
};

}  // namespace imagesweep
