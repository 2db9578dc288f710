#include "agent/gc/observe/preconditions.h"

#include "agent/base/duration.h"

namespace imagesweep {

std::string ReasonNotToBegin(const Policy& policy, const std::optional<Millis>& running_for) {
  if (policy.suspend) return "the policy is suspended";
  if (running_for && *running_for < policy.initial_delay)
    return "nothing is removed in the first " + FormatDuration(policy.initial_delay) +
           " after the start (initialDelay)";
  return {};
}

std::optional<Refusal> CheckRuntime(const RuntimeIdentity& runtime) {
  if (runtime.lists_all_containers) return std::nullopt;
  return Refusal{
      "runtime",
      {ErrorKind::kIncomplete,
       "the runtime is cri-dockerd, and its CRI does not list containers that Docker runs "
       "outside pods, so their images are not known; set --runtime-endpoint to the "
       "socket of the Docker Engine (unix:///run/docker.sock)"}};
}

std::optional<Refusal> CheckRemovalAllowed(const Evidence& evidence, const Policy& policy) {
  if (auto refusal = CheckRuntime(evidence.runtime)) return refusal;
  if (evidence.pods) return std::nullopt;
  // Also of a kubelet that is stopped: its pods still need their images.
  const RuntimeUse& use = evidence.use;
  for (const auto* pods : {&use.ready_sandboxes, &use.stopped_sandboxes, &use.container_pods}) {
    if (pods->empty()) continue;
    const PodKey& pod = pods->front();
    return Refusal{
        "pods",
        {ErrorKind::kIncomplete, "found pods managed by a kubelet (for example " +
                                     pod.pod_namespace + "/" + pod.name +
                                     "): --without-kubernetes is refused on Kubernetes nodes; pass "
                                     "--kubeconfig"}};
  }
  if (!policy.overrides.empty())
    return Refusal{"node",
                   {ErrorKind::kIncomplete,
                    "the policy has overrides by node labels, which are not known without "
                    "Kubernetes; remove the overrides, or pass --kubeconfig"}};
  return std::nullopt;
}

}  // namespace imagesweep
