#include "agent/gc/remove/validate_evidence.h"

#include <algorithm>
#include <unordered_set>

namespace imagesweep {
namespace {

Refusal Refuse(std::string source, std::string what) {
  return {std::move(source), {ErrorKind::kIncomplete, std::move(what)}};
}

std::string NameOf(const PodKey& pod) {
  return pod.pod_namespace + "/" + pod.name;
}

bool IsOwn(const PodKey& pod, const OwnPod& own) {
  if (!own.uid.empty() && !pod.uid.empty()) return pod.uid == own.uid;
  return pod.pod_namespace == own.pod_namespace && pod.name == own.name;
}

std::string OwnName(const OwnPod& own) {
  return own.pod_namespace + "/" + own.name;
}

std::optional<Refusal> ExaminePods(const EvidenceView& view, const Expectations& expected,
                                   SteadyTime now) {
  const PodEvidence& pods = *view.pods;
  if (pods.pods.empty()) {
    return Refuse("pods", "the Kubernetes API lists no pods on node \"" + pods.node_name +
                              "\"; check --node-name");
  }
  if (now - pods.listed_at > expected.max_pod_list_age)
    return Refuse("pods", "the pod list is too old");
  if (expected.own_pod) {
    const auto own = [&](const PodKey& pod) { return IsOwn(pod, *expected.own_pod); };
    if (!std::ranges::any_of(pods.pods, own))
      return Refuse("pods", "imagesweep's own pod " + OwnName(*expected.own_pod) +
                                " is not among the pods that the Kubernetes API lists on node \"" +
                                pods.node_name + "\"");
  }
  std::unordered_set<std::string> known;
  for (const PodKey& pod : pods.pods) {
    known.insert(pod.uid);
    // The sandbox of a static pod has another UID than its mirror pod.  Other pods match only by
    // UID: a StatefulSet creates a new pod of the same name, perhaps with another image.
    if (pod.mirror) known.insert(NameOf(pod));
  }
  for (const PodKey& sandbox : view.use.ready_sandboxes) {
    if (known.contains(sandbox.uid) || known.contains(NameOf(sandbox))) continue;
    return Refuse("pods", "the runtime runs a sandbox of pod " + NameOf(sandbox) +
                              ", which the Kubernetes API does not list on node \"" +
                              pods.node_name + "\"");
  }
  return std::nullopt;
}

std::optional<Refusal> ExamineContainers(const EvidenceView& view, const Expectations& expected) {
  if (view.pods != nullptr && view.use.containers == 0) {
    return Refuse("containers", "the Kubernetes API lists " +
                                    std::to_string(view.pods->pods.size()) +
                                    " pods, but the runtime lists no containers");
  }
  if (expected.own_pod) {
    const auto own = [&](const PodKey& pod) { return IsOwn(pod, *expected.own_pod); };
    if (!std::ranges::any_of(view.use.container_pods, own))
      return Refuse("containers", "imagesweep's own container (pod " + OwnName(*expected.own_pod) +
                                      ") is not among the containers that the runtime lists");
  }
  return std::nullopt;
}

std::optional<Refusal> ExamineImages(const EvidenceView& view, const Expectations& expected) {
  const auto resolves = [&](const ImageReference& reference) {
    return !view.index.Resolve(reference).empty();
  };
  if (view.use.containers > 0 && std::ranges::none_of(view.use.references, resolves)) {
    return Refuse("images", "none of the images of " + std::to_string(view.use.containers) +
                                " containers is among the " + std::to_string(view.images.size()) +
                                " images that the runtime lists");
  }
  if (expected.own_pod) {
    const auto own = OwnImages(view.use, *expected.own_pod);
    const auto listed = [&](const std::string& text) { return !view.index.Resolve(text).empty(); };
    if (std::ranges::none_of(own, listed))
      return Refuse("images",
                    "imagesweep's own image is not among the images that the runtime lists");
  }
  return std::nullopt;
}

// Without a known pause image, the verdict Sandbox cannot protect it.
std::optional<Refusal> ExamineSandboxImage(const EvidenceView& view) {
  if (view.use.ready_sandboxes.empty() || !view.use.sandbox_images.empty()) return std::nullopt;
  if (std::ranges::any_of(view.images, LooksLikePause)) return std::nullopt;
  return Refuse("sandboxes",
                "the runtime runs sandboxes, but its configuration, the status of the sandboxes, "
                "and the image names do not tell which image is the pause image");
}

}  // namespace

std::optional<Refusal> ValidateEvidence(const EvidenceView& view, const Expectations& expected,
                                        SteadyTime now) {
  if (view.pods != nullptr)
    if (auto refusal = ExaminePods(view, expected, now)) return refusal;
  if (auto refusal = ExamineContainers(view, expected)) return refusal;
  if (auto refusal = ExamineImages(view, expected)) return refusal;
  return ExamineSandboxImage(view);
}

std::vector<std::string> OwnImages(const RuntimeUse& use, const OwnPod& own) {
  std::vector<std::string> texts;
  for (const ImageReference& reference : use.references) {
    if (reference.by.kind == ImageUserKind::kContainer &&
        reference.by.pod_namespace == own.pod_namespace && reference.by.pod == own.name)
      texts.push_back(reference.text);
  }
  return texts;
}

}  // namespace imagesweep
