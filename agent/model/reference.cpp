#include "agent/model/reference.h"

namespace imagesweep {

std::string_view ToString(ReferrerKind kind) {
  switch (kind) {
    case ReferrerKind::kPod:
      return "Pod";
    case ReferrerKind::kContainer:
      return "Container";
    case ReferrerKind::kImageVolume:
      return "ImageVolume";
    case ReferrerKind::kSandbox:
      return "Sandbox";
  }
  return "Pod";
}

std::string Describe(const Referrer& referrer) {
  std::string text;
  text.reserve(referrer.pod_namespace.size() + referrer.pod.size() + referrer.container.size() + 2);
  for (const std::string* part : {&referrer.pod_namespace, &referrer.pod, &referrer.container}) {
    if (part->empty()) continue;
    if (!text.empty()) text += '/';
    text += *part;
  }
  return text.empty() ? std::string(ToString(referrer.kind)) : text;
}

bool OfOnePod(const Referrer& a, const Referrer& b) {
  if (a.pod.empty() || b.pod.empty()) return a == b;
  return a.pod == b.pod && a.pod_namespace == b.pod_namespace;
}

}  // namespace imagesweep
