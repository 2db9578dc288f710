#include "agent/model/reference.h"

namespace imagesweep {

std::string_view ToString(ImageUserKind kind) {
  switch (kind) {
    case ImageUserKind::kPod:
      return "Pod";
    case ImageUserKind::kContainer:
      return "Container";
    case ImageUserKind::kImageVolume:
      return "ImageVolume";
    case ImageUserKind::kSandbox:
      return "Sandbox";
    case ImageUserKind::kMount:
      return "Mount";
  }
  return "Pod";
}

std::string Describe(const ImageUser& user) {
  std::string text;
  text.reserve(user.pod_namespace.size() + user.pod.size() + user.container.size() + 2);
  for (const std::string* part : {&user.pod_namespace, &user.pod, &user.container}) {
    if (part->empty()) continue;
    if (!text.empty()) text += '/';
    text += *part;
  }
  return text.empty() ? std::string(ToString(user.kind)) : text;
}

bool OfOnePod(const ImageUser& a, const ImageUser& b) {
  if (a.pod.empty() || b.pod.empty()) return a == b;
  return a.pod == b.pod && a.pod_namespace == b.pod_namespace;
}

}  // namespace imagesweep
